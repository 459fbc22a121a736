import { createPublicKey, type KeyObject } from 'node:crypto';
import { toHex } from '../bytes/bytes.ts';

/** SubjectPublicKeyInfo of a point on P-256, named by its identifier, uncompressed (RFC 5480, section 2), up to X. */
const PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');

const LENGTH = PREFIX.length + 64;

/**
 * The key of a SubjectPublicKeyInfo; null unless it is a point of P-256 in its one form. Every other curve, one whose
 * parameters are spelt out, a compressed point and infinity have other bytes; that the point is on the curve
 * OpenSSL checks as it reads it.
 */
export function publicKeyOf(spki: Uint8Array): KeyObject | null {
  if (spki.length !== LENGTH || toHex(spki.subarray(0, PREFIX.length)) !== toHex(PREFIX)) {
    return null;
  }
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    return null;
  }
}
