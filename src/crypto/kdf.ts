import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';

/** HKDF-Extract with SHA-256 (RFC 5869, section 2.2): 32 bytes. */
export function hkdfExtract(salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  return extract(sha256, ikm, salt);
}

/** HKDF-Expand with SHA-256 (RFC 5869, section 2.3). */
export function hkdfExpand(prk: Uint8Array, info: Uint8Array, length = 32): Uint8Array {
  return expand(sha256, prk, info, length);
}
