import type { Entropy } from '../host/entropy.ts';
import type { DurationMs, UnixMs } from '../units/time.ts';
import { type AccessRequest, encodeAccess } from './access.ts';
import { SALT_LENGTH } from './cipher.ts';
import { encodeMessage } from './message.ts';
import { sealPacket, type SpaKeys } from './packet.ts';

export interface SpaRequest extends AccessRequest {
  /** What to call ourselves; printable ASCII, 1 to 64 characters. */
  readonly user: string;
  /** How long the door is to be open, in whole seconds; null leaves it to the server. */
  readonly timeoutMs: DurationMs | null;
}

const RANDOM_DIGITS = 16;

/** The packet that asks for access, as fwknop's own client makes it. */
export function createPacket(
  keys: SpaKeys,
  { user, timeoutMs, ...access }: SpaRequest,
  { entropy, unixMs }: { readonly entropy: Entropy; readonly unixMs: UnixMs },
): Uint8Array<ArrayBuffer> {
  const message = encodeMessage({
    random: randomDigits(entropy),
    user,
    timestamp: Math.floor(unixMs / 1000),
    type: timeoutMs === null ? 'access' : 'access-timeout',
    text: encodeAccess(access),
    natAccess: null,
    timeoutSeconds: timeoutMs === null ? null : Math.ceil(timeoutMs / 1000),
  });
  return sealPacket(keys, entropy.bytes(SALT_LENGTH), message);
}

// 8 bytes give 20 digits' worth: what the last 16 are is as good as even
function randomDigits(entropy: Entropy): string {
  const number = Buffer.from(entropy.bytes(8)).readBigUInt64BE();
  return String(number % 10n ** BigInt(RANDOM_DIGITS)).padStart(RANDOM_DIGITS, '0');
}
