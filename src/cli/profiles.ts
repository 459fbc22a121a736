import type { Command } from 'commander';
import type { Profile } from '../store/profile.ts';
import { formatServicePort } from '../units/network.ts';
import { jsonOption } from './options.ts';
import { formatTable, print, printJson } from './terminal.ts';

/** `hknock profiles` */
export function addProfiles(program: Command): void {
  program
    .command('profiles')
    .description('Lists the servers that you have a profile for. Shows no secrets.')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  hknock profiles --json')
    .action(profiles);
}

async function profiles({ json }: { json?: true }): Promise<void> {
  const { ProfileStore } = await import('../store/profile-store.ts');
  const kept = (await new ProfileStore().list()).map(publicPart);
  if (json) {
    printJson(kept);
    return;
  }
  const rows = kept.map(({ name, peer, hosts, port, services }) => [
    name,
    peer,
    hosts.join(','),
    String(port),
    Object.keys(services).join(','),
  ]);
  print(formatTable([['NAME', 'PEER', 'HOSTS', 'PORT', 'SERVICES'], ...rows]));
}

function publicPart({ name, peer, hosts, port, services, expect }: Profile) {
  const ports = [...services].map(([service, each]) => [service, each.map(formatServicePort)]);
  return {
    name,
    peer,
    hosts,
    port,
    services: Object.fromEntries(ports) as Record<string, string[]>,
    expect,
  };
}
