/** How likely something is, judged by trials: the bounds within which it lies with 95 %. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The 97.5th percentile of the normal distribution. */
const Z = 1.959964;

/** Wilson's interval for a proportion (Wilson 1927): right also when all or none of few trials succeeded. */
export function wilson(successes: number, trials: number): Interval {
  const observed = successes / trials;
  const weight = 1 / (1 + Z ** 2 / trials);
  const middle = observed + Z ** 2 / (2 * trials);
  const spread = Z * Math.sqrt((observed * (1 - observed)) / trials + Z ** 2 / (4 * trials ** 2));
  return {
    low: Math.max(0, weight * (middle - spread)),
    high: Math.min(1, weight * (middle + spread)),
  };
}
