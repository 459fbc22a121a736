import { type Command, InvalidArgumentError, Option } from 'commander';
import { HknockError } from '../errors/hknock-error.ts';
import type { Entropy } from '../host/entropy.ts';
import {
  parsePeerName,
  parseServiceName,
  type PeerName,
  type ServiceName,
} from '../units/names.ts';
import { parsePort, parsePortRange, type Port, type PortRange } from '../units/network.ts';
import { MAX_KNOCKS, MIN_KNOCKS } from '../units/sequence-shape.ts';
import { argument } from './options.ts';
import { tell } from './terminal.ts';

interface OneTimeOptions {
  readonly peer: PeerName;
  readonly service: ServiceName;
  readonly out: string;
  readonly ports: PortRange;
  readonly knocks: number;
  readonly count: number;
  readonly numberPort?: Port;
}

interface NewOptions {
  readonly peer: PeerName;
  readonly out: string;
  readonly ports: PortRange;
}

/** `hknock scheme fixed|dynamic|encrypted|one-time` */
export function addScheme(program: Command): void {
  const scheme = program
    .command('scheme')
    .description('Makes the files of classic schemes of sequence mode.');
  withFile(scheme.command('fixed'), '7000-7999')
    .description('Makes a file of three fixed sequences of ports: to open, to close, and to ban.')
    .requiredOption('--service <name>', 'what they open', argument(parseServiceName))
    .addHelpText('after', exampleOf('fixed', '--service ssh '))
    .action(async (options: NewOptions & { readonly service: ServiceName }) => {
      const { renderFixedFile } = await import('../config/new-scheme.ts');
      await make(options, (entropy) => renderFixedFile(options, entropy));
    });
  withFile(scheme.command('dynamic'), '9100-9109')
    .description('Makes a file for sequences that tell the port to open.')
    .addHelpText('after', exampleOf('dynamic'))
    .action(async (options: NewOptions) => {
      const { renderDynamicFile } = await import('../config/new-scheme.ts');
      await make(options, (entropy) => renderDynamicFile(options, entropy));
    });
  withFile(scheme.command('encrypted'), '9300-9555')
    .description('Makes a file for encrypted sequences that tell address, port and minutes.')
    .addHelpText('after', exampleOf('encrypted'))
    .action(async (options: NewOptions) => {
      const { renderEncryptedFile } = await import('../config/new-scheme.ts');
      await make(options, (entropy) => renderEncryptedFile(options, entropy));
    });
  scheme
    .command('one-time')
    .description('Makes a file of sequences of ports, each of which opens once.')
    .requiredOption('--peer <name>', 'whose grants they are', argument(parsePeerName))
    .requiredOption('--service <name>', 'what they open', argument(parseServiceName))
    .requiredOption('--out <file>', 'where to put it, on the server and on the client')
    .option('--ports <range>', 'ports of the sequences, and decoys', argument(parsePortRange), {
      first: 10_000,
      last: 10_099,
    } as PortRange)
    .option('--knocks <number>', 'ports in a sequence', numberFrom(MIN_KNOCKS, MAX_KNOCKS), 6)
    .option('--count <number>', 'how many sequences', numberFrom(1, 10_000), 1000)
    .option(
      '--number-port <port>',
      'TCP port on which the server tells anybody which is next',
      argument(parsePort),
    )
    .addHelpText(
      'after',
      '\nExample:\n  hknock scheme one-time --peer alice --service ssh --number-port 10100 --out /etc/hknock/schemes/door.toml',
    )
    .action(oneTime);
}

function withFile(command: Command, ports: string): Command {
  const option = new Option('--ports <range>', 'the ports to take');
  return command
    .requiredOption('--peer <name>', 'whose grants they are', argument(parsePeerName))
    .requiredOption('--out <file>', 'where to put it, on the server and on the client')
    .addOption(option.argParser(argument(parsePortRange)).default(parsePortRange(ports), ports));
}

function exampleOf(kind: string, options = ''): string {
  return `\nExample:\n  hknock scheme ${kind} --peer alice ${options}--out /etc/hknock/schemes/door.toml`;
}

async function make(
  { out, what = 'the scheme is' }: { readonly out: string; readonly what?: string },
  render: (entropy: Entropy) => string,
): Promise<void> {
  const { decodeScheme } = await import('../config/scheme-files.ts');
  const { createPrivateFile } = await import('../store/private-file.ts');
  const { createSystemEntropy } = await import('../system/entropy.ts');
  const text = render(createSystemEntropy());
  decodeScheme(text, { file: out, code: 'usage', content: 'secret' });
  await createPrivateFile(out, text, { forFolderOwner: true });
  tell(`${what} in ${out}; name it in 'schemes' of [sequence]`);
}

async function oneTime({ out, numberPort, ...options }: OneTimeOptions): Promise<void> {
  const { first, last } = options.ports;
  if (last - first + 1 < options.knocks) {
    throw new HknockError('usage', 'there are fewer ports than a sequence has');
  }
  const { renderOneTimeFile } = await import('../config/one-time-file.ts');
  const request = { ...options, numberPort: numberPort ?? null };
  const what = `${String(options.count)} sequences are`;
  await make({ out, what }, (entropy) => renderOneTimeFile(request, entropy));
}

function numberFrom(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected ${String(least)} to ${String(most)}`);
  };
}
