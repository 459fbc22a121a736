import type { MonotonicMs, UnixMs } from '../units/time.ts';

/** A timer that can be taken back. */
export interface Timer {
  cancel(): void;
}

/** The two clocks and the timers of the machine. */
export interface Clock {
  /** For every expiry: never goes back. The same for all processes of this machine since it started. */
  monotonicMs(): MonotonicMs;
  /** For people and certificates: may jump. */
  unixMs(): UnixMs;
  /** Calls back once, not before `delayMs` have gone by. A pending timer does not keep the process alive. */
  after(delayMs: number, call: () => void): Timer;
}
