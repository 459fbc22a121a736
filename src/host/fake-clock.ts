import type { DurationMs, MonotonicMs, UnixMs } from '../units/time.ts';
import type { Clock, Timer } from './clock.ts';

interface Pending {
  readonly dueMs: number;
  readonly call: () => void;
}

/** A clock that stands still until it is told to advance, so that tests need not sleep. */
export class FakeClock implements Clock {
  #monotonic = 1_000_000;
  #unix: number;
  readonly #pending = new Set<Pending>();

  constructor(unixMs = 1_800_000_000_000) {
    this.#unix = unixMs;
  }

  monotonicMs(): MonotonicMs {
    return this.#monotonic as MonotonicMs;
  }

  unixMs(): UnixMs {
    return this.#unix as UnixMs;
  }

  after(delayMs: number, call: () => void): Timer {
    const timer = { dueMs: this.#monotonic + delayMs, call };
    this.#pending.add(timer);
    return { cancel: () => this.#pending.delete(timer) };
  }

  /** Moves both clocks on and runs what falls due on the way, in order of due time. */
  advance(by: DurationMs | number): void {
    const end = this.#monotonic + by;
    for (let next = this.#nextDue(end); next !== undefined; next = this.#nextDue(end)) {
      this.#moveTo(Math.max(next.dueMs, this.#monotonic));
      this.#pending.delete(next);
      next.call();
    }
    this.#moveTo(end);
  }

  #nextDue(end: number): Pending | undefined {
    return [...this.#pending]
      .filter(({ dueMs }) => dueMs <= end)
      .sort((a, b) => a.dueMs - b.dueMs)[0];
  }

  #moveTo(monotonicMs: number): void {
    this.#unix += monotonicMs - this.#monotonic;
    this.#monotonic = monotonicMs;
  }
}
