import type { Expectation } from './model.ts';

export const holds: Expectation = { outcome: 'holds' };

export const falls: Expectation = { outcome: 'falls' };

/** A grant for one connection goes to whoever comes first. So many trials rule out that nobody but the client ever does. */
export const races: Expectation = {
  outcome: 'races',
  trials: 16,
  between: { low: 0.2, high: 1 },
};

export function holdsIn(trials: number): Expectation {
  return { outcome: 'holds', trials };
}

export const unusable: Expectation = { outcome: 'unusable' };
