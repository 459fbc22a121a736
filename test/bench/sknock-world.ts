import { KnockLimits } from '../../src/guard/knock-limits.ts';
import { CertificateVerifier } from '../../src/pki/verifier.ts';
import { createSknock } from '../../src/sknock/initiator.ts';
import { ReplayCache } from '../../src/sknock/replay-cache.ts';
import { createSystemEntropy } from '../../src/system/entropy.ts';
import { parseServiceName } from '../../src/units/names.ts';
import { parseServicePort } from '../../src/units/network.ts';
import { parseDuration } from '../../src/units/time.ts';
import { sknockServer } from '../support/sknock.ts';
import { type CertificateWorld, client, NOW, unlimited } from './certificate-world.ts';

/** The reference server looks at no frame that is shorter. */
export const MIN_FRAME_LENGTH = 800;

const entropy = createSystemEntropy();

/** Judges datagrams in the one thread that calls it. */
export function sknockReceiver({ ca, server }: CertificateWorld): ReturnType<typeof sknockServer> {
  const service = parseServiceName('ssh');
  return sknockServer({
    privateKey: server.privateKey,
    certificates: new CertificateVerifier({ ca }),
    serviceOf: () => service,
    windowMs: parseDuration('7s'),
    checkAddress: true,
    minFrameLength: MIN_FRAME_LENGTH,
    limits: new KnockLimits(unlimited, unlimited),
    replays: new ReplayCache(1_000_000),
  });
}

/** Valid knocks, each another. */
export function sknockDatagrams(
  { clients, server }: CertificateWorld,
  count: number,
): readonly Uint8Array[] {
  const wish = {
    port: parseServicePort('tcp/22'),
    address: client.address,
    issuedAtUnixS: NOW / 1000,
  };
  return Array.from({ length: count }, (_, at) => {
    const identity = clients[at % clients.length];
    if (identity === undefined) throw new RangeError('there are no clients');
    return createSknock({ ...identity, serverKey: server.publicKey }, wish, entropy);
  });
}
