import { randomBytes } from 'node:crypto';

/** Like the tag that hknock's datagrams begin with, by which a peer is found. */
export const KEPT_PREFIX = 8;

/** What looks like it and is not: as long, of the same alphabet, with the same beginning. */
export function likenessOf(payload: Uint8Array): Uint8Array {
  const random = randomBytes(payload.length);
  if (payload.every((byte) => byte >= 32 && byte < 127)) {
    return Buffer.from(random.toString('base64').slice(0, payload.length));
  }
  if (payload.length <= KEPT_PREFIX) return payload;
  return Buffer.concat([payload.subarray(0, KEPT_PREFIX), random.subarray(KEPT_PREFIX)]);
}
