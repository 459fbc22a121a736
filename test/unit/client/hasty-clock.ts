import type { Clock } from '../../../src/host/clock.ts';
import type { MonotonicMs, UnixMs } from '../../../src/units/time.ts';

const HASTE = 40;

/** A clock that runs so many times as fast; if not said, a client gives up in a fifth of a second, which leaves time for an answer on loopback. */
export function createHastyClock(haste = HASTE): Clock {
  const startedAt = performance.now();
  const elapsedMs = (): number => (performance.now() - startedAt) * haste;
  return {
    monotonicMs: () => elapsedMs() as MonotonicMs,
    unixMs: () => (1_800_000_000_000 + elapsedMs()) as UnixMs,
    after(delayMs, call) {
      const timeout = setTimeout(call, Math.ceil(delayMs / haste));
      return {
        cancel: () => {
          clearTimeout(timeout);
        },
      };
    },
  };
}
