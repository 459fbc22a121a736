import { ascii, concat } from '../../bytes/bytes.ts';
import { decodeUint32, encodeUint64 } from '../../bytes/integer.ts';
import { hkdfExpand, hkdfExtract } from '../../crypto/kdf.ts';
import { Mac } from '../../crypto/mac.ts';
import type { ServiceName } from '../../units/names.ts';
import type { Port } from '../../units/network.ts';
import { type SequenceShape, sliceWidth } from '../../units/sequence-shape.ts';
import type { UnixMs } from '../../units/time.ts';

/** Length of a time step in seconds (sequence.md, section 3). */
const STEP_SECONDS = 30;

/** The time step of a moment (RFC 6238, section 4.2, with T0 = 0). */
export function stepAt(unixMs: UnixMs): number {
  return Math.floor(unixMs / 1000 / STEP_SECONDS);
}

/**
 * The pseudo-random key of a step: HKDF-Extract over the whole HMAC of RFC 6238, of which an authenticator shows six digits
 * (sequence.md, section 4). The responder's identity is in it, so a sequence is worthless at another server (P10).
 */
export function stepKey(
  { secret, responderId }: { readonly secret: Uint8Array; readonly responderId: Uint8Array },
  step: number,
): Uint8Array {
  const counter = new Uint8Array(8);
  encodeUint64(step, counter, 0);
  return hkdfExtract(concat(ascii('hknock/1 sequence'), responderId), new Mac(secret).of(counter));
}

/** The ports for a service, one from each slice of the range, in ascending order. */
export function sequencePorts(
  key: Uint8Array,
  service: ServiceName,
  shape: SequenceShape,
): readonly Port[] {
  const width = sliceWidth(shape);
  const stream = hkdfExpand(key, ascii(`hknock/1 ports ${service}`), 4 * shape.count);
  // 2^32 is so much larger than a slice that no port is likelier than another by more than one in 65,536
  return Array.from(
    { length: shape.count },
    (_, at) => (shape.first + at * width + (decodeUint32(stream, 4 * at) % width)) as Port,
  );
}

/** 32 bytes that both sides know when a sequence has counted (P12). */
export function sequenceSessionSecret(key: Uint8Array, service: ServiceName): Uint8Array {
  return hkdfExpand(key, ascii(`hknock/1 sequence session ${service}`));
}

/** Names a secret without telling anything about it: 16 hexadecimal digits. */
export function credentialId(secret: Uint8Array): string {
  const mac = new Mac(secret).of(ascii('hknock/1 credential id'));
  return Buffer.from(mac.subarray(0, 8)).toString('hex');
}
