import { expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { Mac } from './mac.ts';

/** HKDF-Extract with SHA-256 (RFC 5869, section 2.2): 32 bytes. */
export function hkdfExtract(salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  return new Mac(salt).of(ikm);
}

/** HKDF-Expand with SHA-256 (RFC 5869, section 2.3). */
export function hkdfExpand(prk: Uint8Array, info: Uint8Array, length = 32): Uint8Array {
  return expand(sha256, prk, info, length);
}

/** The same for what is derived at each knock: 32 bytes each, all under one key, in a third of the time. */
export function hkdfBlocks(prk: Uint8Array): (info: Uint8Array) => Uint8Array {
  const mac = new Mac(prk);
  return (info) => mac.of(info, FIRST);
}

const FIRST = Uint8Array.of(1);
