import { Option, type Command } from 'commander';
import { HknockError } from '../errors/hknock-error.ts';
import type { Admission } from '../units/admission.ts';
import { parseServiceName, type ServiceName } from '../units/names.ts';
import {
  formatServicePort,
  type IpAddress,
  parsePort,
  parseServicePort,
  type Port,
  type Prefix,
  type ServicePort,
} from '../units/network.ts';
import { type DurationMs, parseDuration } from '../units/time.ts';
import {
  admissionsOption,
  argument,
  expectOption,
  profileOption,
  sourceOption,
} from './options.ts';

const modes = ['challenge-response', 'certificate', 'sknock', 'fwknop', 'silent'] as const;

type CliMode = (typeof modes)[number];

/** What `knock` and `connect` have in common. */
export interface KnockCliOptions {
  readonly profile?: string;
  readonly admission?: readonly Admission[];
  readonly mode: CliMode;
  readonly expect?: readonly Prefix[];
  readonly prefix?: true;
  readonly json?: true;
  readonly cert?: string;
  readonly key?: string;
  readonly serverCert?: string;
  readonly port?: Port | 'random';
  readonly source?: IpAddress | 'any';
  readonly verify?: boolean;
  readonly timeout?: DurationMs;
  readonly retries?: number;
  readonly tcpStealth?: true;
}

/** What to have opened: a service by its name, or a port, which only `--mode sknock` takes. */
export type Wish = ServiceName | ServicePort;

/** @throws {HknockError} `usage` */
export function parseWish(text: string): Wish {
  return text.includes('/') ? parseServicePort(text) : parseServiceName(text);
}

/** @throws {HknockError} `usage` for a port */
export function requireService(wish: Wish | undefined): ServiceName | undefined {
  if (typeof wish !== 'object') return wish;
  throw new HknockError('usage', `'${formatServicePort(wish)}' is a port, not a service`, {
    hint: 'name the service as the server does; --mode sknock takes ports',
  });
}

/** What the command lines of `knock` and `connect` have in common. */
export function withKnockOptions(command: Command): Command {
  return command
    .argument('<host>', "a profile's name, or a host that a profile lists")
    .addOption(profileOption())
    .addOption(
      admissionsOption(
        'how narrowly to be let in, best first: gate,port,once takes the first that the server accepts (default: as the server says)',
      ),
    )
    .addOption(expectOption())
    .addOption(
      new Option(
        '--prefix',
        'to be let in from the whole /24 (IPv6: /64) that the server sees you in: where connections leave by another address than knocks',
      ),
    )
    .addOption(
      new Option('--mode <mode>', 'how to knock')
        .choices(modes)
        .default('challenge-response' satisfies CliMode),
    )
    .addOption(
      new Option(
        '--cert <file>',
        'with --mode certificate or sknock: your certificate, PEM, or PKCS#12 (.p12) with its key',
      ),
    )
    .addOption(new Option('--key <file>', 'with these: its private key, PEM'))
    .addOption(new Option('--server-cert <file>', "with these: the server's certificate, PEM"))
    .addOption(
      new Option(
        '--port <port>',
        "with these: the server's UDP port (default: 62202, and 62203 with sknock, which takes 'random' too)",
      ).argParser(argument(parseKnockPort)),
    )
    .addOption(sourceOption())
    .addOption(new Option('--tcp-stealth', "with --mode silent: come with TCP Stealth's number"))
    .addOption(
      new Option(
        '--timeout <duration>',
        'with --mode sknock or fwknop: how long to try to connect after each knock (default: 2s)',
      ).argParser(argument(parseDuration)),
    )
    .addOption(
      new Option(
        '--retries <number>',
        'with --mode sknock or fwknop: how many more times to knock when there is no connection (default: 2)',
      ).argParser(argument(parseRetries)),
    );
}

function parseKnockPort(text: string): Port | 'random' {
  return text === 'random' ? text : parsePort(text);
}

function parseRetries(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new HknockError('usage', `'${text}' is not a number of times`);
}
