import { createPacket } from '../../fwknop/initiator.ts';
import { createSystemClock } from '../../system/clock.ts';
import { createSystemEntropy } from '../../system/entropy.ts';
import { type IpAddress, parseServicePort } from '../../units/network.ts';
import type { Guessing } from '../guessing.ts';
import { addresses } from '../network.ts';
import { SERVICE_PORT } from '../scheme.ts';
import { GUESSES, udpTo } from './guesses.ts';
import { FWKNOP_PORT } from './hknock-server.ts';

const entropy = createSystemEntropy();

/** fwknop's packets, right but for their keys: its HMAC has 32 bytes (fwknop.md, section 3). */
export function guessingAtSpa(port: number = FWKNOP_PORT): Omit<Guessing, 'looks'> {
  return {
    guess: () => [udpTo(port, packetOfAnybody())],
    oneIn: 2n ** 256n,
    guesses: GUESSES,
  };
}

function packetOfAnybody(): Uint8Array {
  const keys = {
    key: entropy.bytes(32),
    hmacKey: entropy.bytes(64),
    hmacType: 'sha256',
  } as const;
  const wish = {
    user: 'attacker',
    source: addresses.stranger as IpAddress,
    ports: [parseServicePort(`tcp/${String(SERVICE_PORT)}`)],
    timeoutMs: null,
  };
  return createPacket(keys, wish, { entropy, unixMs: createSystemClock().unixMs() });
}
