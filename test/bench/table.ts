/** One thing measured, beside what it must reach. */
export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly target?: string;
  readonly isReached?: boolean;
}

/** A Markdown table of rows. */
export function formatRows(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ what, measured, target = '', isReached }) =>
      `| ${what} | ${measured} | ${target} | ${isReached === undefined ? '' : isReached ? 'yes' : 'NO'} |`,
  );
  return ['| what | measured | target | reached |', '|---|---|---|---|', ...lines].join('\n');
}

/** `212,000/s` */
export function perSecond(count: number, seconds: number): string {
  return `${Math.round(count / seconds).toLocaleString('en-US')}/s`;
}

/** The value that so many percent of the values do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? NaN;
}

/** `1.23 ms` */
export function milliseconds(value: number): string {
  return `${value.toFixed(2)} ms`;
}
