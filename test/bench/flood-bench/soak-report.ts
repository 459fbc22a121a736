import type { Soaked } from './soak.ts';

/** Bytes by which the daemon may have grown at the end, since it had met every kind of flood. */
const MOST_GROWTH = 10_000_000;

/** What came of it in a few lines, and whether all is well. */
export function soakReport(
  soaked: readonly Soaked[],
  roundsUntilWarm: number,
): { readonly text: string; readonly isWell: boolean } {
  const last = soaked.at(-1);
  if (last === undefined) return { text: 'nothing was done', isWell: false };
  const residents = soaked.slice(Math.min(roundsUntilWarm, soaked.length) - 1);
  const growth = last.resident - (residents[0]?.resident ?? last.resident);
  const most = Math.max(...residents.map(({ resident }) => resident));
  const { knocks, renewals, closings, connections, failed } = last.counts;
  const isWell = last.lost === 0 && last.tooMany === 0 && last.compared > 0 && growth < MOST_GROWTH;
  const text = [
    `${last.minutes.toFixed(1)} minutes, ${String(soaked.length)} floods`,
    `${String(knocks)} knocks, ${String(renewals)} renewals, ${String(closings)} closings, ${String(connections)} connections; ${String(failed)} of them came to nothing`,
    `${String(last.compared)} grants compared with the kernel: ${String(last.lost)} lost, ${String(last.tooMany)} too many`,
    `memory ${megabytes(last.resident)}, at most ${megabytes(most)}, ${megabytes(growth)} more than after the first of each flood`,
    isWell ? 'all is well' : 'NOT as it should be',
  ].join('\n');
  return { text, isWell };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
