import type { Clock, Timer } from '../host/clock.ts';
import type { MonotonicMs, UnixMs } from '../units/time.ts';

/** Longest that setTimeout can wait; it fires at once on anything longer. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/**
 * The clocks of the machine. The monotonic one is CLOCK_MONOTONIC in whole milliseconds, not the
 * process's own `performance.now()`, so that times written by one process mean the same to another.
 */
export function createSystemClock(): Clock {
  return { monotonicMs, unixMs: () => Date.now() as UnixMs, after };
}

function monotonicMs(): MonotonicMs {
  return Number(process.hrtime.bigint() / 1_000_000n) as MonotonicMs;
}

function after(delayMs: number, call: () => void): Timer {
  const dueMs = performance.now() + delayMs;
  let timeout: NodeJS.Timeout;
  // Node's timers count in whole milliseconds and may fire a little early: look, and wait for the rest
  const arm = (): void => {
    const leftMs = dueMs - performance.now();
    if (leftMs <= 0) {
      call();
      return;
    }
    timeout = setTimeout(arm, Math.min(Math.ceil(leftMs), MAX_TIMEOUT_MS)).unref();
  };
  timeout = setTimeout(arm, Math.min(Math.max(delayMs, 0), MAX_TIMEOUT_MS)).unref();
  return {
    cancel: () => {
      clearTimeout(timeout);
    },
  };
}
