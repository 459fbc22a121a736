import { randomFillSync } from 'node:crypto';
import type { Entropy } from '../host/entropy.ts';

/** One call of the system's generator costs as much for these as for the 24 bytes of a nonce. */
const POOL_LENGTH = 4096;

/**
 * The system's random generator, asked for many bytes at a time.
 * Each byte is handed out once and wiped from the pool as it goes.
 */
export function createSystemEntropy(): Entropy {
  const pool = new Uint8Array(POOL_LENGTH);
  let used = POOL_LENGTH;

  return {
    bytes(length) {
      if (length > POOL_LENGTH) return randomFillSync(new Uint8Array(length));
      if (length > POOL_LENGTH - used) {
        randomFillSync(pool);
        used = 0;
      }
      const fresh = pool.slice(used, used + length);
      pool.fill(0, used, used + length);
      used += length;
      return fresh;
    },
  };
}
