import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseAddress } from '../../src/bytes/address.ts';
import { numberOf, silentKey, silentStepAt, turnSecrets } from '../../src/silent/numbers.ts';
import type { Profile } from '../../src/store/profile.ts';
import { createSystemClock } from '../../src/system/clock.ts';
import { parseServiceName } from '../../src/units/names.ts';
import { inline } from './inline.ts';
import type { Machine } from './machine.ts';

const scanner = fileURLToPath(new URL('numbers.py', import.meta.url));
const socketModule = new URL('../../dist/system/sequenced-socket.js', import.meta.url).href;
const clientModule = new URL('../../dist/client/silent.js', import.meta.url).href;
const profileModule = new URL('../../dist/store/profile-file.js', import.meta.url).href;

/** Turns silent mode on in the text of a new `hknock.toml`, with these lines in place of its defaults. */
export function silently(text: string, lines: Readonly<Record<string, string>> = {}): string {
  const [head = '', tail = ''] = text.split('[silent]\n');
  const wanted = Object.entries({ enabled: 'true', ...lines });
  const changed = wanted.reduce(
    (rest, [key, value]) => rest.replace(new RegExp(`^${key} = .*$`, 'm'), `${key} = ${value}`),
    tail,
  );
  return `${head}[silent]\n${changed}`;
}

/** Where somebody sends SYNs with numbers of his choice. */
export interface NumberTarget {
  readonly address: string;
  readonly port: number;
  /** Source address; the system's choice if not said. */
  readonly from?: string;
}

/** The number that lets the holder of a profile in to its service `web` now. */
export function numberNow(profile: Profile, { address, port }: NumberTarget, slot: number): number {
  const destination = { address: parseAddress(address) ?? never(address), port };
  const key = silentKey(profile);
  const secretOf = turnSecrets(key, { service: parseServiceName('web'), destination });
  return numberOf(secretOf({ step: silentStepAt(createSystemClock().unixMs()), slot }));
}

/** What there is to see for whoever connects with this number: the first line of text, or why there is none. */
export async function visitWithNumber(
  { place }: Pick<Machine, 'place'>,
  { address, port, from = address.includes(':') ? '::' : '0.0.0.0' }: NumberTarget,
  sequence: number,
): Promise<string> {
  const words = [socketModule, address, String(port), String(sequence), from] as const;
  const { stdout } = await place.exec(inline(look, ...words));
  return stdout.trim();
}

/** What becomes of a client that tries one number only, to a service with one slot: an error's code and words. */
export async function tryOnce(machine: Machine, profile: string): Promise<string> {
  const { stdout } = await machine.place.exec(
    inline(connect, clientModule, profileModule, profile),
  );
  return stdout.trim();
}

/** Sends one number after the other for so long, as fast as it can; gives how many. */
export async function scanNumbers(
  machine: Machine,
  source: string,
  { address, port }: NumberTarget,
  seconds: number,
): Promise<number> {
  const argv = ['python3', scanner, source, address, String(port), String(seconds), '1'];
  const { stdout } = await machine.place.exec(argv, { timeoutMs: (seconds + 30) * 1000 });
  return Number(stdout);
}

async function look(
  module: string,
  address: string,
  port: string,
  sequence: string,
  from: string,
): Promise<void> {
  const { connectSequenced } = (await import(module)) as {
    connectSequenced: (options: object) => Promise<Socket>;
  };
  const say = (seen: string): never => {
    console.log(seen);
    process.exit();
  };
  try {
    const socket = await connectSequenced({
      remote: { address, port: Number(port) },
      local: { address: from, port: 0 },
      sequence: Number(sequence),
      timeoutMs: 700,
    });
    socket.on('error', () => say('connection reset'));
    socket.once('data', (text) => say(String(text).split('\n', 1)[0] ?? ''));
    setTimeout(() => setImmediate(say, 'connected, and no word'), 2000);
  } catch (fault) {
    const code = (fault as { code?: string }).code;
    say(code === 'ETIMEDOUT' ? 'no answer' : `no (${String(code)})`);
  }
}

async function connect(client: string, profiles: string, file: string): Promise<void> {
  const { connectSilently } = (await import(client)) as {
    connectSilently: (profile: unknown, options: object) => Promise<unknown>;
  };
  const { readProfileFile } = (await import(profiles)) as {
    readProfileFile: (path: string) => Promise<unknown>;
  };
  try {
    await connectSilently(await readProfileFile(file), { slots: 1 });
    console.log('connected');
  } catch (fault) {
    const { code, message, hint } = fault as { code: string; message: string; hint: string };
    console.log(`${code}: ${message}: ${hint}`);
  }
  process.exit();
}

function never(text: string): never {
  throw new Error(`${text} is no address`);
}
