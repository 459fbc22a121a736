import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

/** HMAC-SHA256 under one key (RFC 2104). */
export class Mac {
  readonly #key: KeyObject;

  /** @param key any length; 32 bytes everywhere in this protocol */
  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  /** 32 bytes. */
  of(...parts: readonly Uint8Array[]): Uint8Array {
    const running = createHmac('sha256', this.#key);
    for (const part of parts) running.update(part);
    return running.digest();
  }
}

/** Compares without telling by its time where the difference is. Different lengths are simply unequal. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
