import { generateKeyPairSync } from 'node:crypto';
import { lobbyCredential } from '../../certificate/lobby.ts';
import { CERTIFICATE_RESPONSE_LENGTH } from '../../certificate/response.ts';
import { type Identity, type IdentityFiles, readIdentity } from '../../client/identity.ts';
import { pointOf } from '../../crypto/p256.ts';
import { createSknock, MAX_SKNOCK_CERTIFICATE_LENGTH } from '../../sknock/initiator.ts';
import { createSystemClock } from '../../system/clock.ts';
import { createSystemEntropy } from '../../system/entropy.ts';
import { type IpAddress, parseServicePort } from '../../units/network.ts';
import type { Guessing } from '../guessing.ts';
import { addresses } from '../network.ts';
import { SERVICE_PORT } from '../scheme.ts';
import { GUESSES, guessesOfResponses, udpTo } from './guesses.ts';
import type { HknockServer } from './hknock-server.ts';

type Counted = HknockServer['counted'];

/** For those who have not the server's certificate; it takes a certificate as well. */
export async function guessingAtChallenge(
  files: IdentityFiles,
  counted: Counted,
  port?: number,
): Promise<Guessing> {
  const { serverKey } = await readIdentity(files, MAX_SKNOCK_CERTIFICATE_LENGTH);
  const { tag } = lobbyCredential(pointOf(serverKey));
  const responses = { tag, length: CERTIFICATE_RESPONSE_LENGTH };
  return guessesOfResponses({ ...responses, ...(port !== undefined && { port }) }, counted);
}

interface SknockTarget {
  readonly counted: Counted;
  readonly port: number;
  /** The port to have opened, which the certificate is for; the laboratory's usual one if not said. */
  readonly wanted?: number;
}

/** All is right but the client's private key, a number up to the order of P-256 (sknock.md, section 3). */
export async function guessingAtSknock(
  files: IdentityFiles,
  { counted, port, wanted = SERVICE_PORT }: SknockTarget,
): Promise<Guessing> {
  const known = await readIdentity(files, MAX_SKNOCK_CERTIFICATE_LENGTH);
  return {
    guess: () => [udpTo(port, signedByAnybody(known, wanted))],
    oneIn: 2n ** 256n,
    guesses: GUESSES,
    looks: () => counted('signature', 'sknock'),
  };
}

function signedByAnybody(known: Omit<Identity, 'privateKey'>, wanted: number): Uint8Array {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const wish = {
    port: parseServicePort(`tcp/${String(wanted)}`),
    address: addresses.stranger as IpAddress,
    issuedAtUnixS: Math.floor(createSystemClock().unixMs() / 1000),
  };
  return createSknock({ ...known, privateKey }, wish, createSystemEntropy());
}
