import type { Clock } from '../../../src/host/clock.ts';
import type { MonotonicMs, UnixMs } from '../../../src/units/time.ts';

const HASTE = 40;

/** A clock that runs so fast that a client gives up in a fifth of a second, and yet leaves time for an answer on loopback. */
export function createHastyClock(): Clock {
  const startedAt = performance.now();
  const elapsedMs = (): number => (performance.now() - startedAt) * HASTE;
  return {
    monotonicMs: () => elapsedMs() as MonotonicMs,
    unixMs: () => (1_800_000_000_000 + elapsedMs()) as UnixMs,
    after(delayMs, call) {
      const timeout = setTimeout(call, Math.ceil(delayMs / HASTE));
      return {
        cancel: () => {
          clearTimeout(timeout);
        },
      };
    },
  };
}
