import { ascii } from '../bytes/bytes.ts';
import { decodeUint32 } from '../bytes/integer.ts';
import { hkdfBlocks } from '../crypto/kdf.ts';

const LABEL = ascii('hknock/1 initial sequence number');

/**
 * The initial sequence number of the connection that a grant for `bound` lets in (wire.md, section 3.5): 1 to 2^32 - 1.
 * Not 0, which would leave the choice to the client's kernel.
 */
export function initialSequence(sessionSecret: Uint8Array): number {
  return decodeUint32(hkdfBlocks(sessionSecret)(LABEL), 0) || 1;
}
