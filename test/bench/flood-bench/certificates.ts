import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { lobbyKeys } from '../../../src/certificate/lobby.ts';
import { certificateProver } from '../../../src/certificate/prover.ts';
import { pointOf, sign } from '../../../src/crypto/p256.ts';
import { type InitiatorContext, start, step } from '../../../src/handshake/initiator.ts';
import { createSystemClock } from '../../../src/system/clock.ts';
import { createSystemEntropy } from '../../../src/system/entropy.ts';
import { parseServiceName } from '../../../src/units/names.ts';
import { certificateWorld } from '../certificate-world.ts';

/** Different ones, so that none is still being examined when it comes again. */
const RESPONSES = 512;

const clock = createSystemClock();
const entropy = createSystemEntropy();

/**
 * Responses that get as far as the public-key work: their cookie is the server's for the attacker's own address, and the
 * certificate is from an authority that the server does not know.
 * @param ask sends a datagram from that address and gives the answer
 */
export async function badResponses(
  serverCertificate: string,
  ask: (request: Uint8Array) => Promise<Uint8Array>,
): Promise<readonly Uint8Array[]> {
  const context = await contextFor(serverCertificate);
  const now = clock.monotonicMs();
  const { state, send } = start(context, now);
  const bytes = await ask(send[0] ?? new Uint8Array());
  const challenged = step(context, state, { event: { kind: 'datagram', bytes }, now }).state;
  return Array.from({ length: RESPONSES }, () => {
    const proven = step(context, challenged, { event: { kind: 'proceed' }, now });
    return proven.send[0] ?? new Uint8Array();
  });
}

async function contextFor(serverCertificate: string): Promise<InitiatorContext> {
  const {
    clients: [stranger],
  } = await certificateWorld();
  if (stranger === undefined) throw new RangeError('there are no clients');
  const { publicKey } = new X509Certificate(readFileSync(serverCertificate));
  const responderPoint = pointOf(publicKey);
  const prover = certificateProver({
    certificate: stranger.certificate,
    responderPoint,
    sign: (message) => sign(stranger.privateKey, message),
  });
  const wish = { claimed: null, service: parseServiceName('ssh'), admission: null };
  return { keys: lobbyKeys(responderPoint), wish, entropy, prover };
}
