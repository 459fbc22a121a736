import type { z } from 'zod';
import { text } from '../store/toml/fields.ts';
import { type DurationMs, parseDuration } from '../units/time.ts';

/** A duration within bounds, both included. */
export function durationFrom(least: string, most: string): z.ZodType<DurationMs, string> {
  return text(`a duration from "${least}" to "${most}"`, (value) => {
    const duration = parseDuration(value);
    return duration >= parseDuration(least) && duration <= parseDuration(most) ? duration : null;
  });
}
