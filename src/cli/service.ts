import type { Command } from 'commander';
import type { Admission } from '../units/admission.ts';
import { parseServiceName, type ServiceName } from '../units/names.ts';
import { parseServicePort, type ServicePort } from '../units/network.ts';
import { type DurationMs, parseDuration } from '../units/time.ts';
import { admissionOption, argument, commaSeparated, directoryOf, dirOption } from './options.ts';
import { tell } from './terminal.ts';

interface AddOptions {
  readonly dir?: string;
  readonly admission?: Admission;
  readonly ttl?: DurationMs;
  readonly prefix?: true;
}

/** `hknock service add` */
export function addService(program: Command): void {
  program
    .command('service')
    .description('Names what may be opened.')
    .command('add')
    .description(
      'Names one or more ports of this machine as a service. They are shut from then on.',
    )
    .argument('<name>', "what to call it, such as 'ssh'", argument(parseServiceName))
    .argument(
      '<ports>',
      "protocol and port, such as 'tcp/22,udp/60001'",
      commaSeparated(parseServicePort),
    )
    .addOption(admissionOption('the widest admission accepted'))
    .option(
      '--ttl <duration>',
      'how long a grant waits for its connection',
      argument(parseDuration),
    )
    .option('--prefix', 'allow grants for a whole /24 (IPv6: /64) to peers that may have them')
    .addOption(dirOption())
    .addHelpText('after', '\nExample:\n  hknock service add ssh tcp/22')
    .action(add);
}

async function add(
  name: ServiceName,
  ports: readonly ServicePort[],
  { dir, admission, ttl, prefix }: AddOptions,
): Promise<void> {
  const config = await import('../config/add-service.ts');
  const directory = directoryOf({ dir });
  const own = { ...(admission && { admission }), ...(ttl && { ttlMs: ttl }) };
  await config.addService(directory, { name, ports, ...own, ...(prefix && { prefix }) });
  tell(`service '${name}' added`);
  const { reloadIfRunning } = await import('./running-server.ts');
  await reloadIfRunning(directory);
}
