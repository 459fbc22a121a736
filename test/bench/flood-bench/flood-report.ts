import { kinds } from './kinds.ts';
import type { Legitimate, Measured } from './measure.ts';

/** What hknock with its shield must reach (of knocks, of times quiet, of bytes for a byte). */
const MOST_TIMES_QUIET = 2;
const MOST_AMPLIFICATION = 1;

/** Whether all got in, about as quickly as ever, and nothing was amplified. */
export function isReached({ legitimate, quiet, amplification }: Measured): boolean {
  const { tried, succeeded, p50 } = legitimate;
  const isQuick = p50 <= MOST_TIMES_QUIET * quiet.p50;
  return succeeded === tried && isQuick && amplification <= MOST_AMPLIFICATION;
}

/** A Markdown table, one line for each system under each kind of flood. */
export function floodTable(measured: readonly Measured[]): string {
  const lines = measured.map(lineOf);
  const head = [
    'flood',
    'system',
    'packets/s',
    'knocks',
    'p50',
    'p99',
    'quiet p50',
    'times quiet',
    'CPU',
    'memory',
    'bytes out per byte in',
    'reached',
  ];
  return [head, head.map(() => '---'), ...lines].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function lineOf(each: Measured): readonly string[] {
  const { legitimate, quiet } = each;
  return [
    kinds[each.kind],
    each.system,
    Math.round(each.rate).toLocaleString('en-US'),
    ratioOf(legitimate),
    milliseconds(legitimate.p50),
    milliseconds(legitimate.p99),
    `${milliseconds(quiet.p50)} (${ratioOf(quiet)})`,
    Number.isNaN(legitimate.p50) ? '' : (legitimate.p50 / quiet.p50).toFixed(2),
    `${each.cpuPercent.toFixed(0)} %`,
    `${megabytes(each.residentAfter)} MB (${signed(each.residentAfter - each.residentBefore)})`,
    each.amplification.toFixed(3),
    isReached(each) ? 'yes' : 'NO',
  ];
}

function ratioOf({ succeeded, tried }: Legitimate): string {
  return `${String(succeeded)}/${String(tried)}`;
}

function milliseconds(value: number): string {
  return Number.isNaN(value) ? '' : `${value.toFixed(2)} ms`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function signed(bytes: number): string {
  return `${bytes < 0 ? '' : '+'}${megabytes(bytes)}`;
}
