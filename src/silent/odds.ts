import { SKEW_STEPS } from './numbers.ts';

/** Odds that a stranger gets in within a day that need nobody's word (silent.md, section 6). */
export const TOLERATED_ODDS = 1e-6;

/** So long no more numbers are looked at when there were too many wrong ones. */
export const SHUT_HOURS = 1;

/** How many steps' numbers are good at a time. */
const LIVE_STEPS = 1 + 2 * SKEW_STEPS;

/** All sequence numbers that a SYN can have. */
const SPACE = 2 ** 32;

/** How many numbers are good at a time for so many peers, each at so many addresses and ports. */
export function liveNumbers(offers: number, { slots, hasTcpStealth }: Kinds): number {
  return offers * (slots * LIVE_STEPS + (hasTcpStealth ? 1 : 0));
}

/** Which numbers there are. */
export interface Kinds {
  readonly slots: number;
  readonly hasTcpStealth: boolean;
}

/**
 * Most wrong numbers that are looked at in any 24 hours: those of the limit, and each time that it has shut the one that
 * finds it exceeded.
 */
export function guessesADay(limitPerDay: number): number {
  return limitPerDay + 24 / SHUT_HOURS + 1;
}

/** At most these are the odds that one of so many guesses in a day hits, whatever is guessed: at most 1. */
export function guessingOdds(numbers: number, guesses: number): number {
  return Math.min(1, (numbers * guesses) / SPACE);
}
