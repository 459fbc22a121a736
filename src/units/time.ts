import { HknockError } from '../errors/hknock-error.ts';
import type { Brand } from './brand.ts';

/** Milliseconds since 1970-01-01T00:00:00Z. For people and certificates; it may jump. */
export type UnixMs = Brand<number, 'UnixMs'>;

/** Milliseconds on a clock that never goes back and has no meaning outside this machine. For every expiry. */
export type MonotonicMs = Brand<number, 'MonotonicMs'>;

/** A length of time in milliseconds, not negative. */
export type DurationMs = Brand<number, 'DurationMs'>;

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** `later(now, 500)`: the moment that many milliseconds after `from`. */
export function later(from: MonotonicMs, durationMs: number): MonotonicMs {
  return (from + durationMs) as MonotonicMs;
}

/**
 * Reads `250ms`, `30s`, `5m` or `2h`: a whole number and its unit.
 * @throws {HknockError} `usage` when the text is anything else
 */
export function parseDuration(text: string): DurationMs {
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text);
  if (match === null) {
    throw new HknockError('usage', `'${text}' is not a duration`, {
      hint: "write a whole number and a unit: '30s', '5m' or '2h'",
    });
  }
  return (Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]) as DurationMs;
}

/** The shortest text that {@link parseDuration} reads back as the same duration. */
export function formatDuration(duration: DurationMs): string {
  const unit = (['h', 'm', 's'] as const).find(
    (each) => duration % unitMs[each] === 0 && duration > 0,
  );
  return unit === undefined ? `${String(duration)}ms` : `${String(duration / unitMs[unit])}${unit}`;
}
