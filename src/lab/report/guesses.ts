import { expectedSeconds, type Guessed } from '../guessing.ts';
import { type Answer, isFailure } from '../run-table.ts';

const HEAD = ['guessing', 'one in', 'sent a second', 'looked at a day', 'until one is right'];

/** What guessing takes, for each scheme at which somebody guessed; empty when nobody did. */
export function guessRows(answers: readonly Answer[]): readonly (readonly string[])[] {
  const rows = answers.flatMap((answer) => {
    if (isFailure(answer) || answer.guessed === null) return [];
    const { oneIn, perSecond, perDay } = answer.guessed;
    const limit = perDay === undefined ? 'all' : perDay.toLocaleString('en');
    const rate = Number(perSecond.toPrecision(2)).toLocaleString('en');
    const time = formatSeconds(expectedSeconds(answer.guessed));
    return [[answer.scheme.name, formatCount(oneIn), rate, limit, time]];
  });
  return rows.length === 0 ? [] : [HEAD, ...rows];
}

/** The same about one cell, as a sentence, with what was seen. */
export function guessText(guessed: Guessed): string {
  const { guesses, looks, oneIn } = guessed;
  const seen = `Of ${String(guesses)} guesses the scheme looked at ${String(looks)} packets.`;
  const odds = `One guess in ${formatCount(oneIn)} lets in: as fast as this, and as the scheme lets them`;
  return `${seen} ${odds}, ${formatSeconds(expectedSeconds(guessed))} on average.`;
}

/** `1,320`, or `2^128` where nobody wants to read the digits. */
export function formatCount(count: bigint): string {
  if (count < 1_000_000n) return count.toLocaleString('en');
  return `2^${String(Number(Math.log2(Number(count)).toFixed(1)))}`;
}

const units = [
  ['years', 365.25 * 24 * 60 * 60],
  ['days', 24 * 60 * 60],
  ['hours', 60 * 60],
  ['minutes', 60],
] as const;

/** With two digits, in the largest unit of which it is more than one: `2.1 hours`, `10^26 years`. */
export function formatSeconds(seconds: number): string {
  const [unit, length] = units.find(([, each]) => seconds > each) ?? ['seconds', 1];
  const count = seconds / length;
  if (count >= 1e6) return `10^${String(Math.floor(Math.log10(count)))} ${unit}`;
  return `${Number(count.toPrecision(2)).toLocaleString('en')} ${unit}`;
}
