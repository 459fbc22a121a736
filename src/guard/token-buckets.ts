import type { MonotonicMs } from '../units/time.ts';
import { forgetOldest } from './forget-oldest.ts';

/** How often something may happen. */
export interface Rate {
  readonly perSecond: number;
  /** How many at once after a quiet time. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  filledAt: MonotonicMs;
}

/**
 * One token bucket per key, at most `capacity` of them. When there is no room the one used least recently goes:
 * it has had the longest to fill, so little is given away.
 */
export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();
  readonly #rate: Rate;
  readonly #capacity: number;

  constructor(rate: Rate, capacity: number) {
    this.#rate = rate;
    this.#capacity = capacity;
  }

  /** Whether `take` would find a token; takes none. */
  has(key: string, now: MonotonicMs): boolean {
    return this.#refilled(key, now).tokens >= 1;
  }

  /** Takes a token of `key` if there is one, or several if there are as many. */
  take(key: string, now: MonotonicMs, count = 1): boolean {
    const bucket = this.#refilled(key, now);
    // put back at the end: the map's order is the order of use
    this.#buckets.delete(key);
    if (this.#buckets.size >= this.#capacity) forgetOldest(this.#buckets);
    this.#buckets.set(key, bucket);
    if (bucket.tokens < count) return false;
    bucket.tokens -= count;
    return true;
  }

  #refilled(key: string, now: MonotonicMs): Bucket {
    const { perSecond, burst } = this.#rate;
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return { tokens: burst, filledAt: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) / 1000) * perSecond);
    bucket.filledAt = now;
    return bucket;
  }
}
