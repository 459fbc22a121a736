import { randomFillSync } from 'node:crypto';
import type { Entropy } from '../host/entropy.ts';

/** One call of the system's generator costs as much for these as for the 24 bytes of a nonce. */
const POOL_LENGTH = 4096;

const pool = new Uint8Array(POOL_LENGTH);
let used = POOL_LENGTH;

/**
 * The system's random generator, asked for many bytes at a time.
 * Each byte is handed out once and wiped from the pool, which all of the process share, as it goes.
 */
export function createSystemEntropy(): Entropy {
  return { bytes };
}

function bytes(length: number): Uint8Array<ArrayBuffer> {
  if (length > POOL_LENGTH) return randomFillSync(new Uint8Array(length));
  if (length > POOL_LENGTH - used) {
    randomFillSync(pool);
    used = 0;
  }
  const fresh = pool.slice(used, used + length);
  pool.fill(0, used, used + length);
  used += length;
  return fresh;
}
