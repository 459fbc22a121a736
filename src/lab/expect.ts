import type { Expectation } from './model.ts';

export const holds: Expectation = { outcome: 'holds' };

export const falls: Expectation = { outcome: 'falls' };

/**
 * A grant for one connection goes to whoever comes first: a neighbour who tries every 2 ms, or the client, which does when it is told
 * that it may. Who wins how often is the machine's affair. 16 trials are the fewest that can tell a race from none: had the neighbour
 * lost all of 15, odds of one in five would be possible yet.
 */
export const races: Expectation = {
  outcome: 'races',
  trials: 16,
  between: { low: 0.2, high: 1 },
};

export function holdsIn(trials: number): Expectation {
  return { outcome: 'holds', trials };
}

export const unusable: Expectation = { outcome: 'unusable' };
