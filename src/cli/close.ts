import type { Command } from 'commander';
import { HknockError } from '../errors/hknock-error.ts';
import { dirOption } from './options.ts';
import { tell } from './terminal.ts';

/** `hknock close` */
export function addClose(program: Command): void {
  program
    .command('close')
    .description('Ends a grant, or all grants of a peer, on the running server.')
    .argument('[grant]', "the grant's id, as 'hknock grants' shows it")
    .option('--peer <name>', 'all grants of this peer')
    .option('--cut', 'end the connections too')
    .addOption(dirOption())
    .addHelpText(
      'after',
      '\nExamples:\n  hknock close 3f29c1d0a4b57e68\n  hknock close --peer alice --cut',
    )
    .action(close);
}

async function close(
  grant: string | undefined,
  { peer, cut, dir }: { peer?: string; cut?: true; dir?: string },
): Promise<void> {
  if ((grant === undefined) === (peer === undefined)) {
    throw new HknockError('usage', 'name either a grant or, with --peer, a peer', {
      hint: "see 'hknock grants'",
    });
  }
  const { askRunning } = await import('./running-server.ts');
  const query = cut ? '?cut=true' : '';
  const what =
    grant === undefined
      ? `/peers/${encodeURIComponent(peer ?? '')}/grants`
      : `/grants/${encodeURIComponent(grant)}`;
  const answer = await askRunning(dir, { method: 'DELETE', path: `${what}${query}` });
  if (answer === null) {
    throw new HknockError('bad-input', `there is no grant '${grant ?? ''}'`, {
      hint: "it may have ended; see 'hknock grants'",
    });
  }
  const { closed } = answer as { closed: number };
  tell(`${String(closed)} closed`);
}
