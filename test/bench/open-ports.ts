import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAddress } from '../../src/bytes/address.ts';
import { createNftables } from '../../src/firewall/nftables/nftables.ts';
import { FakeLog } from '../../src/host/fake-log.ts';
import { plainDoor } from '../../src/host/firewall.ts';
import { createSystemClock } from '../../src/system/clock.ts';
import { type GrantId, parsePeerName, parseServiceName } from '../../src/units/names.ts';
import { parseServicePort, type ServicePort } from '../../src/units/network.ts';
import { parseDuration } from '../../src/units/time.ts';
import { Namespace } from '../support/netns.ts';
import { table } from '../unit/firewall/bench.ts';
import { plot, type Series } from './plot.ts';
import { keepPicture } from './results.ts';
import { milliseconds, type Row } from './table.ts';

/** All there are, TCP and UDP (Sel, Totakura, Carle, section V.A). */
const PORTS = 131_070;

/** More than twice as long as we take to open them all on a machine that has nothing else to do. */
const BUDGET_MS = 180_000;

/** Opened for each point of the plot. */
const STEP = 500;

/** iptables would take hours for all, one at a time: it is timed at so many places, and the rules between come all at once. */
const PLACES = 8;
const TIMED_AT_EACH = 8;

type Open = (port: ServicePort, at: number) => Promise<void>;

/** What opening one port more takes, by how many are open, against iptables adding one rule at a time: the paper's Figure 2. */
export async function openPorts(): Promise<readonly Row[]> {
  const place = await Namespace.create('bench');
  const nft = place.argv(['nft']);
  const firewall = createNftables({ table, clock: createSystemClock(), log: new FakeLog(), nft });
  try {
    await firewall.start([
      { service: parseServiceName('ssh'), port: parseServicePort('tcp/22'), upstream: null },
    ]);
    const ours = await measure('hknock (nftables)', async (port, at) => {
      const opens = [openingOf(port, at)];
      const failures = await firewall.apply({ opens, closes: [], cuts: [] });
      for (const failure of failures.values()) throw failure;
    });
    const theirs = await measureIptables(place);
    const picture = await keepPicture('open-ports.svg', plot([ours, theirs]));
    return [...rowsOf(ours), ...rowsOf(theirs), { what: 'plotted in', measured: picture }];
  } finally {
    await firewall.stop('open');
    await place.remove();
  }
}

async function measure(name: string, open: Open): Promise<Series> {
  const points: Series['points'][number][] = [];
  const end = performance.now() + BUDGET_MS;
  let at = 0;
  while (at < PORTS && performance.now() < end) {
    const startedAt = performance.now();
    const from = at;
    while (at < Math.min(PORTS, from + STEP) && performance.now() < end)
      await open(portOf(at), at++);
    points.push({ open: at, ms: (performance.now() - startedAt) / (at - from) });
  }
  const stopped = at < PORTS ? `, stopped by its time at ${at.toLocaleString('en-US')}` : '';
  return { name: name + stopped, points };
}

async function measureIptables(place: Namespace): Promise<Series> {
  const points: Series['points'][number][] = [];
  const folder = await mkdtemp(join(tmpdir(), 'hknock-bench-'));
  try {
    const file = join(folder, 'rules');
    let at = 0;
    for (let done = 0; done <= PLACES; done++) {
      const until = Math.floor(((PORTS - TIMED_AT_EACH) * done) / PLACES);
      const rules = Array.from({ length: Math.max(0, until - at) }, () => ruleOf(at++).join(' '));
      await writeFile(file, ['*filter', ...rules, 'COMMIT', ''].join('\n'));
      await place.exec(['iptables-restore', '--noflush', file], { timeoutMs: 60_000 });
      const open = at;
      const startedAt = performance.now();
      for (let i = 0; i < TIMED_AT_EACH; i++) await place.exec(['iptables', ...ruleOf(at++)]);
      points.push({ open, ms: (performance.now() - startedAt) / TIMED_AT_EACH });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return { name: `iptables, one rule more, timed at ${String(PLACES + 1)} places`, points };
}

function ruleOf(at: number): readonly string[] {
  const { protocol, port } = portOf(at);
  const match = ['-s', '198.51.100.7', '-p', protocol, '--dport', String(port)];
  return ['-A', 'INPUT', ...match, '-j', 'ACCEPT'];
}

function rowsOf({ name, points }: Series): readonly Row[] {
  const [first, last] = [points[0], points.at(-1)];
  const reached = `${(last?.open ?? 0).toLocaleString('en-US')} ports`;
  return [
    { what: `${name}: one port more, none being open`, measured: milliseconds(first?.ms ?? NaN) },
    { what: `${name}: after ${reached}`, measured: milliseconds(last?.ms ?? NaN) },
  ];
}

function portOf(at: number): ServicePort {
  const half = PORTS / 2;
  return parseServicePort(at < half ? `tcp/${String(at + 1)}` : `udp/${String(at - half + 1)}`);
}

function openingOf(port: ServicePort, at: number) {
  const source = parseAddress('198.51.100.7');
  if (source === null) throw new RangeError('it is an address');
  return {
    grant: at.toString(16).padStart(16, '0') as GrantId,
    peer: parsePeerName('bench'),
    service: parseServiceName('ssh'),
    source,
    ports: [port],
    admission: 'address',
    door: plainDoor,
    lifetimeMs: parseDuration('1h'),
  } as const;
}
