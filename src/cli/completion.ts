import { Argument, type Command } from 'commander';
import { print } from './terminal.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** `hknock completion` */
export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('Prints a script that lets your shell complete commands, options and profiles.')
    .addArgument(new Argument('<shell>', 'the shell it is for').choices(shells))
    .addHelpText(
      'after',
      '\nExamples:\n  source <(hknock completion bash)\n  hknock completion zsh > "${fpath[1]}/_hknock"\n  hknock completion fish > ~/.config/fish/completions/hknock.fish',
    )
    .action((shell: (typeof shells)[number]) => completion(program, shell));
}

async function completion(program: Command, shell: (typeof shells)[number]): Promise<void> {
  const { completionsOf } = await import('./completion/completions.ts');
  const completions = completionsOf(program);
  switch (shell) {
    case 'bash':
      print((await import('./completion/bash.ts')).renderBash(completions));
      return;
    case 'zsh':
      print((await import('./completion/zsh.ts')).renderZsh(completions));
      return;
    case 'fish':
      print((await import('./completion/fish.ts')).renderFish(completions));
  }
}
