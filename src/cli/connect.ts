import type { Command } from 'commander';
import type { ServiceName } from '../units/names.ts';
import { knockAt, type KnockCliOptions, refusal, tellGrant, withKnockOptions } from './knock.ts';

/** `hknock connect` */
export function addConnect(program: Command): void {
  withKnockOptions(program.command('connect'))
    .description(
      'Knocks, connects, and joins standard input and output to the connection; or, with a command behind --, runs that.',
    )
    .argument('[command...]', 'a program to run once the door is open, behind --')
    .addHelpText(
      'after',
      '\nExamples:\n  ssh -o ProxyCommand="hknock connect %h ssh" gate.example.org\n  hknock connect gate.example.org web -- curl http://gate.example.org/',
    )
    .action(connect);
}

async function connect(
  ...[host, service, command, options]: [
    host: string,
    service: ServiceName | undefined,
    command: readonly string[],
    options: KnockCliOptions,
  ]
): Promise<void> {
  const result = await knockAt(host, service, options);
  if (!result.granted) throw refusal(result);
  const [program, ...args] = command;
  if (program !== undefined) {
    tellGrant(result);
    const { runCommand } = await import('./run-command.ts');
    process.exitCode = await runCommand(program, args);
    return;
  }
  const { connectGranted } = await import('../client/connect.ts');
  const { joinStdio } = await import('../client/join-stdio.ts');
  await joinStdio(await connectGranted(result), process);
}
