import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { timingSafeEqual } from 'node:crypto';

/** HMAC-SHA256 under one key, with the key's part of the work done once (RFC 2104, section 4). */
export class Mac {
  readonly #keyed;

  /** @param key any length; 32 bytes everywhere in this protocol */
  constructor(key: Uint8Array) {
    this.#keyed = hmac.create(sha256, key);
  }

  /** 32 bytes. */
  of(...parts: readonly Uint8Array[]): Uint8Array {
    const running = this.#keyed.clone();
    for (const part of parts) running.update(part);
    return running.digest();
  }
}

/** Compares without telling by its time where the difference is. Different lengths are simply unequal. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
