import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Machine } from '../support/machine.ts';
import { startService } from '../support/service.ts';
import { addresses, natTopology, type Topology } from '../support/topology.ts';
import { milliseconds, percentile, type Row } from './table.ts';
import { readTypeScript } from '../support/typescript.ts';

/** Knocks that are timed, and those before them that let both sides warm up: by then all is compiled. */
const TIMED = 1000;
const WARM_UP = 4000;

/** A virtual machine is disturbed by its neighbours for a second or so: the quietest of such batches tells what we do. */
const BATCH = 100;

/** Nothing shuts this one. */
const openPort = 8081;

/** Lets one peer knock as fast as it can, which no server should. */
const unlimited = { peer_knocks_per_second: 100_000, peer_knocks_burst: 100_000 };
const options = {
  ...unlimited,
  source_knocks_burst: 100_000,
  grants_per_peer: 100_000,
  grants_per_source: 100_000,
};

interface Times {
  readonly knocks: readonly number[];
  readonly connects: readonly number[];
  /** Connections to a port that needs no knock. */
  readonly plain: readonly number[];
}

/** From a knock to a port that can be used, through a NAT with the real programs and the kernel's firewall. */
export async function knocks(): Promise<readonly Row[]> {
  const topology = await natTopology();
  const server = new Machine(topology.server);
  const client = new Machine(topology.client);
  try {
    const roundTrip = await pingOf(topology);
    const times = await timesOf(server, client);
    const quietest = Math.min(...batches(times.knocks).map((each) => percentile(each, 50)));
    return [
      { what: 'round trip of a ping, average', measured: milliseconds(roundTrip) },
      {
        what: `knock to usable port, p50 of the quietest ${String(BATCH)} of ${String(TIMED)}`,
        measured: milliseconds(quietest),
        target: `at most ${milliseconds(2 * roundTrip + 1)} (2 round trips + 1 ms)`,
        isReached: quietest <= 2 * roundTrip + 1,
      },
      { what: 'the same, p50 of all', measured: milliseconds(percentile(times.knocks, 50)) },
      { what: 'the same, p99', measured: milliseconds(percentile(times.knocks, 99)) },
      {
        what: 'the TCP connection after it, p50',
        measured: milliseconds(percentile(times.connects, 50)),
      },
      ...overheadRows(times),
    ];
  } finally {
    await client.remove();
    await server.remove();
    await topology.remove();
  }
}

/** The paper's Table I for TCP, between machines that a cable joined (Sel, Totakura, Carle, section V.C). */
function overheadRows({ knocks: knocking, connects, plain }: Times): readonly Row[] {
  const whole = knocking.map((each, at) => each + (connects[at] ?? NaN));
  const [without, withOne] = [percentile(plain, 50), percentile(whole, 50)];
  return [
    {
      what: 'a TCP connection without a knock, p50 (paper: 1.97 ms)',
      measured: milliseconds(without),
    },
    { what: 'the same with one, p50 (paper: 18.25 ms)', measured: milliseconds(withOne) },
    { what: 'what the knock adds (paper: 16.27 ms)', measured: milliseconds(withOne - without) },
  ];
}

function batches(values: readonly number[]): readonly (readonly number[])[] {
  const count = Math.floor(values.length / BATCH);
  return Array.from({ length: count }, (_, at) => values.slice(at * BATCH, (at + 1) * BATCH));
}

async function pingOf({ client }: Topology): Promise<number> {
  const { stdout } = await client.exec(['ping', '-q', '-c', '200', '-i', '0.01', addresses.server]);
  return Number(/= [\d.]+\/([\d.]+)\//.exec(stdout)?.[1]);
}

async function timesOf(server: Machine, client: Machine): Promise<Times> {
  const profile = server.path('bench.toml');
  await server.hknock(['init']);
  await server.hknock(['service', 'add', 'web', 'tcp/8080', '--ttl', '60s']);
  const peer = ['peer', 'add', 'bench', '--service', 'web', '--host', addresses.server];
  await server.hknock([...peer, '--out', profile]);
  liftLimits(server.path('server/hknock.toml'));
  await startService(server, 8080);
  await startService(server, openPort);
  const daemon = await server.serve();
  const program = fileURLToPath(new URL('knock-program.ts', import.meta.url));
  const node = [process.execPath, ...readTypeScript, program];
  const count = String(WARM_UP + TIMED);
  const { stdout } = await client.place.exec([...node, profile, count, String(openPort)], {
    timeoutMs: 120_000,
  });
  await daemon.end();
  const { knocks: all, connects, plain } = JSON.parse(stdout) as Times;
  const timed = (each: readonly number[]): readonly number[] => each.slice(WARM_UP);
  return { knocks: timed(all), connects: timed(connects), plain: timed(plain) };
}

function liftLimits(file: string): void {
  const raised = Object.entries(options).reduce(
    (text, [key, value]) =>
      text.replace(new RegExp(`^${key} = .*$`, 'm'), `${key} = ${String(value)}`),
    readFileSync(file, 'utf8'),
  );
  writeFileSync(file, raised);
}
