import { type Command, Option } from 'commander';
import { parseAddress } from '../bytes/address.ts';
import type { Sequence } from '../client/sequence.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { SchemeFile } from '../config/schemes/kind.ts';
import type { Call, Hit } from '../sequence/scheme.ts';
import type { Profile } from '../store/profile.ts';
import { parseServiceName, type ServiceName } from '../units/names.ts';
import { type IpAddress, parseServicePort, type ServicePort } from '../units/network.ts';
import { type DurationMs, parseDuration } from '../units/time.ts';
import { argument, profileOption } from './options.ts';
import { print, tell } from './terminal.ts';

const actions: readonly Call['action'][] = ['open', 'close', 'ban'];

type Wanted = ServiceName | ServicePort;

interface SchemeOptions {
  readonly scheme?: string;
  readonly action?: Call['action'];
  readonly address?: IpAddress;
  readonly lifetime?: DurationMs;
  readonly number?: number;
}

interface SequenceOptions extends SchemeOptions {
  readonly profile?: string;
  readonly print?: true;
}

/** `hknock sequence` */
export function addSequence(program: Command): void {
  program
    .command('sequence')
    .description(
      'Knocks at the closed ports that this half minute has, where the server listens to sequences. Nobody answers.',
    )
    .argument('<host>', "a profile's name, or a host that a profile lists; with --scheme any host")
    .argument(
      '[service]',
      'what to have opened; with --scheme a port such as tcp/22',
      argument(readWanted),
    )
    .addOption(profileOption())
    .option('--print', "print the arguments for Debian's knock, and send nothing")
    .option('--scheme <file>', "knock by one of the classic schemes: the scheme's file")
    .addOption(new Option('--action <action>', 'with --scheme: what to do').choices(actions))
    .option('--address <address>', 'with --scheme: the address to let in', argument(readAddress))
    .option('--lifetime <duration>', 'with --scheme: for how long', argument(parseDuration))
    .option('--number <number>', 'with --scheme: of a sequence for one use', argument(readNumber))
    .addHelpText(
      'after',
      '\nEach half minute opens one service once.\n\nExamples:\n  hknock sequence gate.example.org ssh\n  knock $(hknock sequence gate.example.org ssh --print)\n  hknock sequence gate.example.org --scheme door.toml',
    )
    .action(sequence);
}

async function sequence(
  host: string,
  wanted: Wanted | undefined,
  options: SequenceOptions,
): Promise<void> {
  const { scheme, ...forScheme } = options;
  if (scheme !== undefined) {
    await knockByScheme(host, wanted, { ...options, scheme });
  } else if (typeof wanted === 'object') {
    throw new HknockError('usage', 'a port can be asked for with --scheme only');
  } else if (Object.keys(callOf(undefined, forScheme)).length > 1 || forScheme.action) {
    throw new HknockError('usage', '--action, --address, --lifetime and --number are for --scheme');
  } else {
    await knockByTotp(host, wanted, options);
  }
}

async function knockByTotp(
  host: string,
  service: ServiceName | undefined,
  { profile: named, print: only }: SequenceOptions,
): Promise<void> {
  const { findProfile, hostWithin } = await import('./profile.ts');
  const { sendSequence, sequenceNow } = await import('../client/sequence.ts');
  const profile = await findProfile(host, named);
  const within = hostWithin(profile, host);
  const options = { ...(service && { service }), ...(within !== undefined && { host: within }) };
  const now = await sequenceNow(profile, options);
  if (only) {
    print(knockArguments(now.address, hitsOf(now)));
    await tellCode(profile);
    return;
  }
  await sendSequence(now);
  const knocks = `${String(now.ports.length)} ${now.protocol} ports of ${now.address}`;
  tell(`knocked at ${knocks} for ${now.service}; whether it opened, only connecting tells`);
}

async function knockByScheme(
  host: string,
  wanted: Wanted | undefined,
  options: SequenceOptions & { readonly scheme: string },
): Promise<void> {
  if (typeof wanted === 'string') {
    throw new HknockError('usage', `with --scheme a port is asked for, not '${wanted}'`, {
      hint: "write it as 'tcp/22', or leave it out where the scheme has one service only",
    });
  }
  const { readSchemeFile } = await import('../config/scheme-files.ts');
  const { firstAddress } = await import('../client/resolve.ts');
  const { sendHits } = await import('../client/scheme-sequence.ts');
  const scheme = await readSchemeFile(options.scheme, { code: 'bad-input' });
  const server = await firstAddress(host);
  const call = callOf(wanted, options);
  const number = call.number === undefined && (await numberOf(scheme, server));
  const hits = scheme.hits({ ...call, ...number });
  if (options.print) {
    print(knockArguments(server, hits));
    return;
  }
  await sendHits(server, hits);
  tell(`sent ${String(hits.length)} packets to ${server}; what they did, only connecting tells`);
}

/** The number of the sequence that is next, where the server tells it. */
async function numberOf(
  { numberPort }: SchemeFile,
  server: IpAddress,
): Promise<Pick<Call, 'number'>> {
  if (numberPort === null) return {};
  const { askNumber } = await import('../client/sequence-number.ts');
  return { number: await askNumber(server, numberPort) };
}

function callOf(
  port: ServicePort | undefined,
  { action = 'open', address, lifetime: lifetimeMs, number }: SchemeOptions,
): Call {
  return {
    action,
    ...(port && { port }),
    ...(address && { address }),
    ...(lifetimeMs !== undefined && { lifetimeMs }),
    ...(number !== undefined && { number }),
  };
}

function hitsOf({ protocol, ports }: Sequence): readonly Hit[] {
  return ports.map((port) => ({ protocol, port }));
}

/** @throws {HknockError} `usage` for what Debian's knock cannot send */
function knockArguments(address: IpAddress, hits: readonly Hit[]): string {
  if (hits.some(({ protocol }) => protocol === 'icmp')) {
    throw new HknockError('usage', "Debian's knock sends no echo requests; leave --print out");
  }
  const delayMs = Math.max(0, ...hits.map((hit) => hit.delayMs ?? 0));
  const pace = delayMs > 0 ? ['-d', String(delayMs)] : [];
  return [...pace, address, ...hits.map((hit) => `${String(hit.port)}:${hit.protocol}`)].join(' ');
}

function readWanted(text: string): Wanted {
  return text.includes('/') ? parseServicePort(text) : parseServiceName(text);
}

function readNumber(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new HknockError('usage', `'${text}' is no number of a sequence`);
}

function readAddress(text: string): IpAddress {
  const address = parseAddress(text);
  if (address !== null) return address;
  throw new HknockError('usage', `'${text}' is no address`);
}

/** So that somebody with an authenticator can see whether secret and clock agree. */
async function tellCode({ sequence: key }: Profile): Promise<void> {
  if (key === undefined) return;
  const { authenticatorCode } = await import('../store/authenticator.ts');
  const { createSystemClock } = await import('../system/clock.ts');
  tell(`an authenticator shows ${authenticatorCode(key.secret, createSystemClock().unixMs())} now`);
}
