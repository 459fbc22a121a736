import type { Command } from 'commander';
import type { CrlStatus } from '../server/revocations.ts';
import type { ServerStatus } from '../server/server-status.ts';
import { type DurationMs, formatDuration } from '../units/time.ts';
import { dirOption, jsonOption } from './options.ts';
import { formatTable, print, printJson } from './terminal.ts';

type CrlList = NonNullable<CrlStatus['list']>;

/** `hknock status` */
export function addStatus(program: Command): void {
  program
    .command('status')
    .description('Shows what the running server does and has seen.')
    .addOption(jsonOption())
    .addOption(dirOption())
    .addHelpText('after', '\nExample:\n  hknock status --json')
    .action(status);
}

async function status({ json, dir }: { json?: true; dir?: string }): Promise<void> {
  const { askRunning } = await import('./running-server.ts');
  const answer = (await askRunning(dir, { method: 'GET', path: '/status' })) as ServerStatus;
  if (json) printJson(answer);
  else print(formatTable(rowsOf(answer)));
}

function rowsOf({ knocks, datagrams, ...rest }: ServerStatus): string[][] {
  const uptime = formatDuration((Math.floor(rest.uptimeMs / 1000) * 1000) as DurationMs);
  const counts = {
    ...datagrams,
    answered: knocks.answered,
    granted: knocks.granted,
    refused: knocks.refused,
    leases: knocks.leases,
  };
  return [
    ['up', uptime],
    ['listening', rest.listen.join(' ')],
    ['firewall', rest.firewall],
    ['peers', String(rest.peers)],
    ['services', String(rest.services)],
    ['grants', String(rest.grants)],
    ...Object.entries(counts).map(([name, count]) => [name, String(count)]),
    ...Object.entries(rest.overload).map(([what, value]) => [`overload: ${what}`, String(value)]),
    ...Object.entries(knocks.drops).map(([reason, count]) => [`dropped: ${reason}`, String(count)]),
    ...Object.entries(rest.gate ?? {}).map(([what, count]) => [`gate: ${what}`, String(count)]),
    ...certificateRows(rest.certificates),
    ...Object.entries(rest.modes).flatMap(([mode, counters]) =>
      Object.entries(counters).map(([what, count]) => [`${mode}: ${what}`, String(count)]),
    ),
  ];
}

function certificateRows(certificates: ServerStatus['certificates']): string[][] {
  if (certificates === undefined) return [];
  const { ca, crl } = certificates;
  const authority = ['ca', `${ca.name}, until ${ca.notAfter}`];
  if (crl === null) return [authority, ['crl', 'none in the configuration']];
  const { list, lastFault } = crl;
  return [
    authority,
    ['crl', list === null ? 'there is no list' : describe(list)],
    ...(lastFault === null ? [] : [['crl: last failure', `${lastFault.at}: ${lastFault.fault}`]]),
  ];
}

function describe({ number, revoked, ageMs, nextUpdate, isStale }: CrlList): string {
  const age = formatDuration((Math.floor(ageMs / 1000) * 1000) as DurationMs);
  const due = isStale ? 'out of date since' : 'next';
  return `number ${number}, ${age} old, ${String(revoked)} revoked, ${due} ${nextUpdate}`;
}
