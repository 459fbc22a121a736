import { z } from 'zod';
import { HknockError } from '../../errors/hknock-error.ts';
import { parseToml } from './document.ts';
import { reportTroubles, type Source } from './report.ts';
import { plainValue, type TomlNode } from './tree.ts';
import type { Trouble } from './trouble.ts';

/**
 * The message of every schema below completes "expected …". A table's message for keys that it does not know is
 * the list of those it does.
 */
const KEY_SEPARATOR = ', ';

/** Text that `parse` makes something of; it gives null or throws an `HknockError` when it cannot. */
export function text<T>(expected: string, parse: (text: string) => T | null): z.ZodType<T, string> {
  return z.string({ error: expected }).transform((value, context): T => {
    const parsed = parseOrNull(parse, value);
    if (parsed !== null) return parsed;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
}

/** A whole number between two bounds, both included. */
export function wholeNumber(min: number, max: number): z.ZodType<number, number> {
  const error = `a whole number from ${String(min)} to ${String(max)}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** One of some words. */
export function choice<const T extends readonly string[]>(
  words: T,
): z.ZodType<T[number], T[number]> {
  return z.enum(words, { error: `one of ${words.map((word) => `"${word}"`).join(', ')}` });
}

/** `true` or `false` */
export function flag(): z.ZodBoolean {
  return z.boolean({ error: 'true or false' });
}

/** A list of `min` to `max` items, none of them twice unless it `repeats`. */
export function list<T extends z.ZodType>(
  item: T,
  expected: string,
  [min, max, repeats]: readonly [min: number, max: number, repeats?: 'repeats'],
): z.ZodType<z.output<T>[], z.input<T>[]> {
  const error = `a list of ${String(min)} to ${String(max)} ${expected}`;
  const items = z.array(item, { error }).min(min, { error }).max(max, { error });
  return repeats === undefined ? items.check(refuseRepeats) : items;
}

/** A table with these keys and no others. */
export function table<T extends z.core.$ZodLooseShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  return z.strictObject(shape, {
    error: ({ code }) =>
      code === 'unrecognized_keys' ? Object.keys(shape).join(KEY_SEPARATOR) : 'a table',
  });
}

/** A table whose keys are names. */
export function tableOf<T extends z.ZodType>(
  name: RegExp,
  expected: string,
  item: T,
): z.ZodRecord<z.ZodString, T> {
  return z.record(z.string().regex(name, { error: expected }), item, {
    error: ({ code }) => (code === 'invalid_key' ? expected : 'a table'),
  });
}

/** A value made from a document, with the tree it was made from. */
export interface Decoded<T> {
  readonly value: T;
  readonly root: TomlNode;
}

/**
 * Reads a TOML text as what the schema says.
 * @throws {HknockError} `source.code` with every trouble's file, line and key
 */
export function decodeToml<T>(text: string, schema: z.ZodType<T>, source: Source): Decoded<T> {
  const root = parseToml(text, source);
  const result = schema.safeParse(plainValue(root));
  if (!result.success) return reportTroubles(root, result.error.issues.flatMap(toTroubles), source);
  return { value: result.data, root };
}

function refuseRepeats(context: z.core.ParsePayload<readonly unknown[]>): void {
  const seen = new Set<string>();
  context.value.forEach((value, at) => {
    const text = JSON.stringify(value);
    if (seen.has(text)) {
      const message = 'each item once';
      context.issues.push({ code: 'custom', message, path: [at], input: value });
    }
    seen.add(text);
  });
}

function toTroubles(issue: z.core.$ZodIssue): readonly Trouble[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  if (issue.code === 'invalid_key') return [{ path, name: issue.message }];
  if (issue.code !== 'unrecognized_keys') return [{ path, expected: issue.message }];
  const known = issue.message.split(KEY_SEPARATOR);
  return issue.keys.map((key): Trouble => ({ path: [...path, key], known }));
}

function parseOrNull<T>(parse: (text: string) => T | null, value: string): T | null {
  try {
    return parse(value);
  } catch (error) {
    if (error instanceof HknockError) return null;
    throw error;
  }
}
