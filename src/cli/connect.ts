import type { Command } from 'commander';
import type { KnockGranted } from '../client/knock.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { parseServiceName, type ServiceName } from '../units/names.ts';
import { knockAt, type KnockCliOptions, refusal, tellGrant, withKnockOptions } from './knock.ts';

/** `hknock connect` */
export function addConnect(program: Command): void {
  withKnockOptions(program.command('connect'))
    .description(
      'Knocks, connects, and joins standard input and output to the connection; or, with a command behind --, runs that.',
    )
    .argument('[service]', 'what to have opened')
    .argument('[command...]', 'a program to run once the door is open, behind --')
    .addHelpText(
      'after',
      '\nExamples:\n  ssh -o ProxyCommand="hknock connect %h ssh" gate.example.org\n  hknock connect gate.example.org web -- curl http://gate.example.org/',
    )
    .action(connect);
}

async function connect(
  ...[host, first, others, options]: [
    host: string,
    first: string | undefined,
    others: readonly string[],
    options: KnockCliOptions,
  ]
): Promise<void> {
  const { service, command } = split(first === undefined ? [] : [first, ...others]);
  const result = await knockAt(host, service, options);
  if (!result.granted) throw refusal(result);
  const [program, ...args] = command;
  if (program !== undefined) {
    requireOpenPort(result);
    tellGrant(result);
    const { runCommand } = await import('./run-command.ts');
    process.exitCode = await runCommand(program, args);
    return;
  }
  // whoever says what he would rather have wants to know what he got
  if (options.admission !== undefined && options.admission.length > 1) tellGrant(result);
  const { connectGranted } = await import('../client/connect.ts');
  const { joinStdio } = await import('../client/join-stdio.ts');
  await joinStdio(await connectGranted(result), process);
}

// a program that connects by itself has no key for the gate
function requireOpenPort({ admission }: KnockGranted): void {
  if (admission !== 'gate') return;
  throw new HknockError(
    'connection',
    "granted with admission 'gate', which no other program can use",
    {
      hint: "leave the program out, as ssh's ProxyCommand does, or ask for another admission",
    },
  );
}

// commander leaves out the `--` and does not say where it stood, so `-- ssh` would be taken for the service
function split(words: readonly string[]): {
  readonly service: ServiceName | undefined;
  readonly command: readonly string[];
} {
  const { argv } = process;
  const behind = argv.includes('--') ? argv.length - argv.indexOf('--') - 1 : 0;
  const [service, ...stray] = words.slice(0, words.length - behind);
  if (stray.length > 0) {
    throw new HknockError('usage', `what is '${stray.join(' ')}'?`, {
      hint: 'a program to run comes behind --',
    });
  }
  return {
    service: service === undefined ? undefined : parseServiceName(service),
    command: words.slice(words.length - behind),
  };
}
