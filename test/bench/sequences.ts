import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { enrolPeer } from '../../src/config/server-folder.ts';
import { writeProfileFile } from '../../src/store/profile-file.ts';
import { createSystemEntropy } from '../../src/system/entropy.ts';
import { parsePeerName, parseServiceName } from '../../src/units/names.ts';
import { ask, edit } from '../support/deployment.ts';
import { type Daemon, Machine } from '../support/machine.ts';
import { link, Namespace } from '../support/netns.ts';
import { startService } from '../support/service.ts';
import { milliseconds, percentile, perSecond, type Row } from './table.ts';
import { readTypeScript } from '../support/typescript.ts';

/*
 * Two namespaces and a veth pair between them. Not loopback itself: what comes over it passes every door of ours.
 *
 *   client 198.51.100.1, and ten that scan (198.51.100.11 to .20) ---- 198.51.100.2 server
 */
const target = '198.51.100.2';
const scanners = Array.from({ length: 10 }, (_, n) => `198.51.100.${String(11 + n)}`);
const servicePort = 8080;

/** Knocks that are timed, and those before them by which all is compiled. */
const TIMED = 100;
const WARM_UP = 50;

/** Between two knocks: the kernel hands on 100 packets a second of one source, and a knock has six. */
const GAP_MS = 70;

/** Knocks during a scan, and the pause before each; the scan goes on for longer. */
const DURING = 10;
const PAUSE_MS = 700;

/** Almost all ports, so that almost all of a scan is captured. */
const watched = { first: 8192, last: 65_535 };

/** Nobody can type a knock this quickly, and nobody is to be held up in what is measured. */
const unlimited = {
  peer_knocks_burst: 100_000,
  source_knocks_per_second: 100_000,
  source_knocks_burst: 100_000,
  grants_per_source: 100_000,
};

/** The kernel hands on all, so that all of a scan has to be looked at. */
const open = { packets_per_second: 1_000_000, source_packets_per_second: 1_000_000 };

/** Knocks by sequences: how soon they open, and whether they get through while others scan. */
export async function sequences(): Promise<readonly Row[]> {
  const ends = [await Namespace.create('server'), await Namespace.create('client')] as const;
  const [server, client] = [new Machine(ends[0]), new Machine(ends[1])];
  try {
    const nearby = ['198.51.100.1', ...scanners].map((address) => `${address}/24`);
    await link(ends[0], [`${target}/24`], ends[1], nearby);
    await prepare(server);
    const times = await knockAll(server, client, { knocks: WARM_UP + TIMED, pauseMs: GAP_MS });
    return [...latencyRows(times.slice(WARM_UP)), ...(await scanRows(server, client))];
  } finally {
    await client.remove();
    await server.remove();
    for (const end of ends) await end.remove();
  }
}

function latencyRows(times: readonly number[]): readonly Row[] {
  const p50 = percentile(times, 50);
  return [
    {
      what: 'first knock of six to usable port, p50',
      measured: milliseconds(p50),
      target: 'under 15 ms',
      isReached: p50 < 15 && !times.includes(-1),
    },
    { what: 'the same, p99', measured: milliseconds(percentile(times, 99)) },
  ];
}

async function scanRows(server: Machine, client: Machine): Promise<readonly Row[]> {
  const kept = await scan(server, client, { perSecond: 50_000 });
  setValues(server, open);
  const all = await scan(server, client, { perSecond: 50_000 });
  const captured = all.counters['captured'] ?? 0;
  const rate = captured / all.cpuSeconds;
  return [
    knocksRow('knocks that open while ten others scan, with the limits as they come', kept),
    knocksRow('the same when the kernel hands on the whole scan', all),
    { what: 'packets of that scan captured', measured: perSecond(captured, all.wallSeconds) },
    { what: 'packets of it lost', measured: String(all.counters['lost']) },
    {
      what: 'captured packets, per second of processor of the server',
      measured: perSecond(captured, all.cpuSeconds),
      target: 'at least 50,000',
      isReached: rate >= 50_000,
    },
    {
      what: 'the same, tcpdump counted in',
      measured: perSecond(captured, all.cpuSeconds + all.captureCpuSeconds),
    },
  ];
}

function knocksRow(what: string, { times }: Scan): Row {
  const opened = times.filter((each) => each >= 0).length;
  return {
    what,
    measured: `${String(opened)} of ${String(times.length)}`,
    target: 'all',
    isReached: opened === times.length,
  };
}

interface Scan {
  readonly times: readonly number[];
  readonly counters: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
  readonly captureCpuSeconds: number;
  readonly wallSeconds: number;
}

/** Ten sources scan all ports, and one that may come in knocks meanwhile. */
async function scan(
  server: Machine,
  client: Machine,
  { perSecond: rate }: { readonly perSecond: number },
): Promise<Scan> {
  setValues(server, { ports: `"${String(watched.first)}-${String(watched.last)}"` });
  const files = await enrol(server, DURING);
  const daemon = await server.serve();
  const capture = await captureOf(server);
  const before = { own: cpuSeconds(daemon.child.pid), capture: cpuSeconds(capture) };
  const program = fileURLToPath(new URL('scan.py', import.meta.url));
  const startedAt = performance.now();
  const scanning = client.place.exec(
    [
      'python3',
      program,
      target,
      scanners[0] ?? '',
      String(scanners.length),
      String(rate),
      '1',
      '65535',
    ],
    { timeoutMs: 60_000 },
  );
  const times = await knock(client, { files, pauseMs: PAUSE_MS });
  await scanning;
  const wallSeconds = (performance.now() - startedAt) / 1000;
  const counters = await countersOf(server);
  const used = {
    cpuSeconds: cpuSeconds(daemon.child.pid) - before.own,
    captureCpuSeconds: cpuSeconds(capture) - before.capture,
  };
  await daemon.end();
  return { times, counters, ...used, wallSeconds };
}

async function prepare(server: Machine): Promise<void> {
  await server.hknock(['init']);
  await server.hknock(['service', 'add', 'web', `tcp/${String(servicePort)}`, '--ttl', '60s']);
  edit(server, (text) => text.replace('schemes = []', 'schemes = ["totp"]'));
  setValues(server, unlimited);
  await startService(server, servicePort);
}

function setValues(server: Machine, values: Readonly<Record<string, number | string>>): void {
  const path = server.path('server/hknock.toml');
  const before = readFileSync(path, 'utf8');
  const after = Object.entries(values).reduce(
    (text, [key, value]) =>
      text.replace(new RegExp(`^${key} = .*$`, 'm'), `${key} = ${String(value)}`),
    before,
  );
  if (after !== before) edit(server, () => after);
}

async function knockAll(
  server: Machine,
  client: Machine,
  { knocks, pauseMs }: { readonly knocks: number; readonly pauseMs: number },
): Promise<readonly number[]> {
  const files = await enrol(server, knocks);
  const daemon: Daemon = await server.serve();
  const times = await knock(client, { files, pauseMs });
  await daemon.end();
  return times;
}

async function knock(
  client: Machine,
  { files, pauseMs }: { readonly files: readonly string[]; readonly pauseMs: number },
): Promise<readonly number[]> {
  const program = fileURLToPath(new URL('sequence-program.ts', import.meta.url));
  const node = [process.execPath, ...readTypeScript, program];
  const args = [String(servicePort), String(pauseMs), ...files];
  const { stdout } = await client.place.exec([...node, ...args], { timeoutMs: 120_000 });
  return JSON.parse(stdout) as number[];
}

let enrolled = 0;

/** Makes peers, each of which can knock once within a step, and gives the files of their profiles. */
async function enrol(server: Machine, count: number): Promise<readonly string[]> {
  const files: string[] = [];
  for (let n = 0; n < count; n++) {
    const name = `bench-${String(++enrolled)}`;
    const profile = await enrolPeer(
      server.path('server'),
      {
        name: parsePeerName(name),
        services: [parseServiceName('web')],
        admission: null,
        ttlMs: null,
        cutOnRevoke: null,
        withTotp: true,
      },
      { host: target, entropy: createSystemEntropy() },
    );
    await writeProfileFile(server.path(`${name}.toml`), profile);
    files.push(server.path(`${name}.toml`));
  }
  return files;
}

async function countersOf(server: Machine): Promise<Readonly<Record<string, number>>> {
  const { modes } = (await ask(server, 'status')) as {
    readonly modes: { readonly sequence: Readonly<Record<string, number>> };
  };
  const counted = ['heard', 'repeated', 'exhausted', 'ignored'];
  const captured = counted.reduce((sum, each) => sum + (modes.sequence[each] ?? 0), 0);
  return { ...modes.sequence, captured };
}

async function captureOf({ place }: Machine): Promise<number> {
  const { stdout } = await place.exec(['sh', '-c', 'ip netns pids $(ip netns identify)']);
  const pids = stdout.split('\n').filter(Boolean).map(Number);
  return pids.find((pid) => readFileSync(`/proc/${String(pid)}/comm`, 'utf8') === 'tcpdump\n') ?? 0;
}

/** Of user and system together; fields 14 and 15 of proc(5), in hundredths. */
function cpuSeconds(pid = 0): number {
  const fields = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    .split(') ')[1]
    ?.split(' ');
  return (Number(fields?.[11]) + Number(fields?.[12])) / 100;
}
