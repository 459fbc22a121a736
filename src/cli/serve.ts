import { Option, type Command } from 'commander';
import { type FirewallBackend, firewallBackends } from '../config/server-config.ts';
import type { RunningServer } from '../server/run.ts';
import { directoryOf, dirOption } from './options.ts';

interface ServeOptions {
  readonly dir?: string;
  readonly firewall?: FirewallBackend;
}

/** `hknock serve` */
export function addServe(program: Command): void {
  program
    .command('serve')
    .description(
      'Answers knocks, in the foreground. SIGHUP reads the folder again, SIGTERM ends it.',
    )
    .addOption(dirOption())
    .addOption(
      new Option('--firewall <backend>', 'in place of what hknock.toml says').choices(
        firewallBackends,
      ),
    )
    .addHelpText('after', '\nExample:\n  hknock serve --dir /etc/hknock')
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  // before anything is begun, and for good: a signal at the wrong moment would leave the services shut
  const ended = new Promise<void>((resolve) => {
    process.on('SIGTERM', resolve).on('SIGINT', resolve);
  });
  const starting = start(options);
  process.on('SIGHUP', () => {
    void starting.then(
      (server) => server.reload(),
      () => undefined,
    );
  });
  const server = await starting;
  await ended;
  await server.stop();
}

async function start({ dir, firewall }: ServeOptions): Promise<RunningServer> {
  const { runServer } = await import('../server/run.ts');
  const overrides = firewall === undefined ? {} : { backend: firewall };
  return runServer(directoryOf({ dir }), overrides);
}
