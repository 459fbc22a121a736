import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { decodeConfig } from '../../src/config/load.ts';
import { SilentTable } from '../../src/firewall/nftables/silent-table.ts';
import { FakeClock } from '../../src/host/fake-clock.ts';
import { FakeFirewall } from '../../src/host/fake-firewall.ts';
import { FakeLog } from '../../src/host/fake-log.ts';
import type { Mode } from '../../src/server/mode.ts';
import { silentModeOver } from '../../src/server/silent/silent-mode.ts';
import { numberOf, silentKey, silentStepAt, turnSecrets } from '../../src/silent/numbers.ts';
import type { PeerRecord } from '../../src/store/peer-file.ts';
import { parsePeerName, parseServiceName } from '../../src/units/names.ts';
import type { IpAddress, Port } from '../../src/units/network.ts';
import { link, Namespace } from '../support/netns.ts';
import { milliseconds, perSecond, type Row } from './table.ts';

const PEERS = 10_000;
const SLOTS = 4;
const ADDRESS = '198.51.100.2' as IpAddress;
const PORT = 22 as Port;
const SERVICE = parseServiceName('ssh');
const STEP_MS = 30_000;

/** Peers of whom it is asked whether their numbers are in force. */
const SAMPLE = 100;

/** How long a scan goes on unless `--scan SECONDS` says otherwise. */
const SCAN_SECONDS = 5;

const responderId = randomBytes(16);

/** What a new time step takes with ten thousand peers. */
export async function silentRefill(): Promise<readonly Row[]> {
  const place = await Namespace.create('silent');
  const directory = mkdtempSync(join(tmpdir(), 'hknock-silent-'));
  const clock = new FakeClock();
  const peers = Array.from({ length: PEERS }, (_, at) => peer(at));
  try {
    const { mode, firstMs } = await start(place, { directory, clock, peers });
    clock.advance(STEP_MS);
    const wasThere = await areInForce(place, peers.slice(0, SAMPLE), clock);
    // has its turn when the step has been dealt with
    const isDone = async () => mode.forget?.(new Set());
    await isDone();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const startedAt = performance.now();
    clock.advance(STEP_MS);
    await isDone();
    const refillMs = performance.now() - startedAt;
    delay.disable();
    await mode.stop();
    return [
      {
        what: `${String(PEERS)} peers with ${String(SLOTS)} numbers each, three steps at the start`,
        measured: milliseconds(firstMs),
      },
      {
        what: 'the numbers of one more step made and put into the kernel',
        measured: milliseconds(refillMs),
        target: 'under 1 s',
        isReached: refillMs < 1000,
      },
      {
        what: 'longest that others wait meanwhile',
        measured: milliseconds(delay.max / 1e6),
      },
      {
        what: `numbers of the step that begins, of ${String(SAMPLE)} peers, in force at its edge`,
        measured: wasThere ? 'all' : 'not all',
        target: 'all',
        isReached: wasThere,
      },
    ];
  } finally {
    await place.remove();
    rmSync(directory, { recursive: true });
  }
}

/** One number after the other from a raw socket, at a server with the usual limits and as many numbers. */
export async function silentScan(): Promise<readonly Row[]> {
  const [server, scanner] = [await Namespace.create('server'), await Namespace.create('scanner')];
  const table = tableIn(server, { guessesPerDay: 300, sourceGuessesPerDay: 30 });
  try {
    await link(scanner, ['198.51.100.9/24'], server, [`${ADDRESS}/24`]);
    await table.install([PORT]);
    // so many that a scan that was looked at would hit one in a second
    const numbers = Array.from({ length: 3 * SLOTS * PEERS }, (_, at) => ({
      ...({ way: 'service', port: PORT, mark: 0x6b000020 } as const),
      sequence: (at + 1) * 35_791,
    }));
    await table.add(numbers, 600_000);
    const seconds = scanSeconds();
    const program = fileURLToPath(new URL('../support/numbers.py', import.meta.url));
    const words = ['198.51.100.9', ADDRESS, String(PORT), String(seconds), '20'];
    const { stdout } = await scanner.exec(['python3', program, ...words], {
      timeoutMs: (seconds + 30) * 1000,
    });
    const { admitted = NaN, wrong = NaN, unread = NaN } = (await table.counts()) ?? {};
    return [
      {
        what: `SYNs of a scan of numbers, ${String(seconds)} s`,
        measured: perSecond(Number(stdout), seconds),
      },
      { what: 'of these looked at, and not', measured: `${String(wrong)}, ${String(unread)}` },
      {
        what: `of these let in, where one in ${String(35_791)} would be`,
        measured: String(admitted),
        target: '0',
        isReached: admitted === 0,
      },
    ];
  } finally {
    await server.remove();
    await scanner.remove();
  }
}

function scanSeconds(): number {
  const at = process.argv.indexOf('--scan');
  return at === -1 ? SCAN_SECONDS : Number(process.argv[at + 1]);
}

function tableIn(
  place: Namespace,
  limits: { readonly guessesPerDay: number; readonly sourceGuessesPerDay: number },
): SilentTable {
  return new SilentTable({ ...limits, shutHours: 1, gatePort: null, nft: place.argv(['nft']) });
}

interface Stage {
  readonly directory: string;
  readonly clock: FakeClock;
  readonly peers: readonly PeerRecord[];
}

async function start(
  place: Namespace,
  { directory, clock, peers }: Stage,
): Promise<{ readonly mode: Mode; readonly firstMs: number }> {
  const firewall = new FakeFirewall(clock);
  firewall.admissions = ['address', 'once', 'bound'];
  const begin = silentModeOver((options) => tableIn(place, options));
  const folder = { config: configOf(directory), peers, responderId };
  const startedAt = performance.now();
  const mode = await begin({ folder, firewall, gate: null, clock, log: new FakeLog() });
  if (mode === null) throw new Error('silent mode is off');
  return { mode, firstMs: performance.now() - startedAt };
}

function configOf(directory: string) {
  const text = `
    silent = { enabled = true, addresses = ["${ADDRESS}"], slots = ${String(SLOTS)} }
    services.ssh.ports = ["tcp/${String(PORT)}"]`;
  return decodeConfig(text, directory);
}

function peer(at: number): PeerRecord {
  return {
    name: parsePeerName(`peer${String(at)}`),
    ...{ tag: randomBytes(8), secret: randomBytes(32), totp: null },
    ...{ services: [SERVICE], admission: null, ttlMs: null, cutOnRevoke: null },
  };
}

/** Whether the first number of each of these peers, by this clock, is in the kernel. */
async function areInForce(
  place: Namespace,
  peers: readonly PeerRecord[],
  clock: FakeClock,
): Promise<boolean> {
  const step = silentStepAt(clock.unixMs());
  const elements = peers.map(({ secret }) => {
    const key = silentKey({ secret, responderId });
    const destination = { address: ADDRESS, port: PORT };
    const turn = turnSecrets(key, { service: SERVICE, destination })({ step, slot: 0 });
    return `${String(PORT)} . ${String(numberOf(turn))}`;
  });
  const asked = [
    'get',
    'element',
    'inet',
    'hknock_silent',
    'service',
    `{ ${elements.join(', ')} }`,
  ];
  const { code } = await place.exec(['nft', ...asked], { allowFailure: true });
  return code === 0;
}
