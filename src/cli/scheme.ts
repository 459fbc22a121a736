import { type Command, InvalidArgumentError } from 'commander';
import { HknockError } from '../errors/hknock-error.ts';
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

/** `hknock scheme one-time` */
export function addScheme(program: Command): void {
  program
    .command('scheme')
    .description('Makes the files of classic schemes of sequence mode.')
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

async function oneTime({ out, numberPort, ...options }: OneTimeOptions): Promise<void> {
  const { first, last } = options.ports;
  if (last - first + 1 < options.knocks) {
    throw new HknockError('usage', 'there are fewer ports than a sequence has');
  }
  const { renderOneTimeFile } = await import('../config/one-time-file.ts');
  const { decodeScheme } = await import('../config/scheme-files.ts');
  const { createPrivateFile } = await import('../store/private-file.ts');
  const { createSystemEntropy } = await import('../system/entropy.ts');
  const request = { ...options, numberPort: numberPort ?? null };
  const text = renderOneTimeFile(request, createSystemEntropy());
  decodeScheme(text, { file: out, code: 'usage', content: 'secret' });
  await createPrivateFile(out, text, { forFolderOwner: true });
  tell(`${String(options.count)} sequences are in ${out}; name it in 'schemes' of [sequence]`);
}

function numberFrom(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected ${String(least)} to ${String(most)}`);
  };
}
