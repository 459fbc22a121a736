import type { Command } from 'commander';
import { poolOf } from '../bytes/prefix.ts';
import type { Grant } from '../grants/live-grants.ts';
import { formatServicePort } from '../units/network.ts';
import { dirOption, jsonOption } from './options.ts';
import { formatTable, print, printJson } from './terminal.ts';

/** `hknock grants` */
export function addGrants(program: Command): void {
  program
    .command('grants')
    .description('Lists the grants in force on the running server.')
    .addOption(jsonOption())
    .addOption(dirOption())
    .addHelpText('after', '\nExample:\n  hknock grants')
    .action(grants);
}

async function grants({ json, dir }: { json?: true; dir?: string }): Promise<void> {
  const { askRunning } = await import('./running-server.ts');
  const live = (await askRunning(dir, { method: 'GET', path: '/grants' })) as readonly Grant[];
  if (json) {
    printJson(live.map(jsonOf));
  } else {
    const head = ['GRANT', 'PEER', 'SERVICE', 'SOURCE', 'PORTS', 'ADMISSION', 'EXPIRES'];
    print(formatTable([head, ...live.map(rowOf)]));
  }
}

function jsonOf(grant: Grant): object {
  return {
    ...grant,
    ...(grant.breadth && { prefix: poolOf(grant.source) }),
    expiresAt: new Date(grant.expiresAt).toISOString(),
  };
}

function rowOf({ id, peer, service, ports, admission, expiresAt, ...grant }: Grant): string[] {
  const expires = new Date(expiresAt).toISOString();
  const source = grant.breadth === undefined ? grant.source : poolOf(grant.source);
  return [id, peer, service, source, ports.map(formatServicePort).join(','), admission, expires];
}
