import { concat } from '../bytes/bytes.ts';
import { POINT_LENGTH } from '../bytes/key-lengths.ts';

const UNCOMPRESSED = 0x04;

/** AES has blocks of 16 bytes. */
const BLOCK_LENGTH = 16;

/** Longest datagram. */
export const MAX_LENGTH = 1200;

const ID = 0x61;
const VERSION = [1, 0, 0] as const;
const HEADER_LENGTH = 1 + VERSION.length;

/** A request as only its server can open it. */
export interface SealedRequest {
  /** A whole number of blocks, at least one. */
  readonly ciphertext: Uint8Array;
  /** The sender's ephemeral public key, 65 bytes. */
  readonly point: Uint8Array;
}

/**
 * The whole of a UDP payload (sknock.md, section 2):
 *
 * | offset | length | field |
 * |---|---|---|
 * | 0 | 1 | id, `a` |
 * | 1 | 3 | version, 1 0 0 |
 * | 4 | n | ciphertext |
 * | 4 + n | 65 | ephemeral public key |
 */
export function encodeDatagram({ ciphertext, point }: SealedRequest): Uint8Array {
  return concat(Uint8Array.of(ID, ...VERSION), ciphertext, point);
}

/** The parts, or why there are none. */
export function decodeDatagram(
  datagram: Uint8Array,
): SealedRequest | 'length' | 'id' | 'version' | 'point' {
  const end = datagram.length - POINT_LENGTH;
  const length = end - HEADER_LENGTH;
  if (length < BLOCK_LENGTH || length % BLOCK_LENGTH !== 0) return 'length';
  if (datagram[0] !== ID) return 'id';
  if (isNewer(datagram.subarray(1, HEADER_LENGTH))) return 'version';
  // OpenSSL would also take the hybrid form, in which the same point has other bytes
  if (datagram[end] !== UNCOMPRESSED) return 'point';
  return { ciphertext: datagram.subarray(HEADER_LENGTH, end), point: datagram.subarray(end) };
}

/** Whether the first number that differs from ours is greater. */
function isNewer(version: Uint8Array): boolean {
  const at = VERSION.findIndex((own, i) => version[i] !== own);
  return at !== -1 && (version[at] ?? 0) > (VERSION[at] ?? 0);
}
