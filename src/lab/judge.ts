import type { Expectation, Outcome, Tally } from './model.ts';
import { type Interval, wilson } from './wilson.ts';

/** What was observed of a scheme under an attacker. A scheme falls to an attacker when it falls to one of his attacks. */
export function outcomeOf(tallies: readonly Tally[]): Outcome {
  if (tallies.some(({ successes, trials }) => successes === trials)) return 'falls';
  return tallies.some(({ successes }) => successes > 0) ? 'races' : 'holds';
}

/** The attack that did best, and within which bounds its odds lie. */
export function worstOf(tallies: readonly Tally[]): { tally: Tally; odds: Interval } | null {
  const [first, ...others] = tallies;
  if (first === undefined) return null;
  const rate = ({ successes, trials }: Tally): number => successes / trials;
  const tally = others.reduce((worst, each) => (rate(each) > rate(worst) ? each : worst), first);
  return { tally, odds: wilson(tally.successes, tally.trials) };
}

/** Whether what was observed is what was expected. Of a race the odds count, not who won how often. */
export function isAsExpected(expectation: Expectation, tallies: readonly Tally[]): boolean {
  if (expectation.outcome === 'any') return true;
  if (expectation.outcome !== 'races') return outcomeOf(tallies) === expectation.outcome;
  const worst = worstOf(tallies);
  if (worst === null) return false;
  const { low, high } = expectation.between;
  return worst.odds.low <= high && worst.odds.high >= low;
}

/** How often each attack is tried in a cell. One that is expected to succeed need do so only once. */
export function trialsFor(expectation: Expectation): number {
  switch (expectation.outcome) {
    case 'races':
    case 'any':
      return expectation.trials;
    case 'holds':
      return expectation.trials ?? 1;
    default:
      return 1;
  }
}
