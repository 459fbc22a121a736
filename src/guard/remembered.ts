import { later, type MonotonicMs } from '../units/time.ts';
import { forgetOldest } from './forget-oldest.ts';

/** Keys that are remembered for a while, at most `capacity` of them: when there is no room the one told first goes. */
export class Remembered {
  readonly #until = new Map<string, MonotonicMs>();
  readonly #forMs: number;
  readonly #capacity: number;

  constructor(forMs: number, capacity: number) {
    this.#forMs = forMs;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#until.size;
  }

  add(key: string, now: MonotonicMs): void {
    // told again it is the last to go
    this.#until.delete(key);
    if (this.#until.size >= this.#capacity) forgetOldest(this.#until);
    this.#until.set(key, later(now, this.#forMs));
  }

  has(key: string, now: MonotonicMs): boolean {
    const until = this.#until.get(key);
    return until !== undefined && until > now;
  }
}
