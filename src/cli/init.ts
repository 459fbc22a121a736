import type { Command } from 'commander';
import { parseEndpoint } from '../config/endpoint.ts';
import type { Endpoint } from '../units/network.ts';
import { argument, directoryOf, dirOption } from './options.ts';
import { print, tell } from './terminal.ts';

/** `hknock init` */
export function addInit(program: Command): void {
  program
    .command('init')
    .summary('make a server folder')
    .description('Makes a server folder: hknock.toml with every option explained, and keys.')
    .addOption(dirOption())
    .option('--listen <addr:port>', 'the UDP address to answer knocks on', argument(parseEndpoint))
    .addHelpText('after', '\nExample:\n  hknock init --listen 0.0.0.0:62202')
    .action(init);
}

async function init({ dir, listen }: { dir?: string; listen?: Endpoint }): Promise<void> {
  const { initServerFolder } = await import('../config/init.ts');
  const { createSystemEntropy } = await import('../system/entropy.ts');
  const directory = directoryOf({ dir });
  const entropy = createSystemEntropy();
  await initServerFolder(directory, { entropy, ...(listen && { listen: [listen] }) });
  print(directory);
  tell('Next: hknock service add ssh tcp/22, then hknock peer add NAME --service ssh');
}
