import { Option, type Command } from 'commander';
import type { FirewallBackend } from '../config/server-config.ts';
import { dirOption } from './options.ts';

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
      new Option('--firewall <backend>', 'in place of what hknock.toml says').choices([
        'nftables',
        'userspace',
        'command',
        'none',
      ]),
    )
    .addHelpText('after', '\nExample:\n  hknock serve --dir /etc/hknock')
    .action(serve);
}

async function serve({ dir, firewall }: ServeOptions): Promise<void> {
  const { runServer } = await import('../server/run.ts');
  const { serverDirectory } = await import('../config/server-directory.ts');
  const overrides = firewall === undefined ? {} : { backend: firewall };
  const server = await runServer(dir ?? serverDirectory(), overrides);
  process.on('SIGHUP', () => {
    void server.reload();
  });
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve).once('SIGINT', resolve);
  });
  await server.stop();
}
