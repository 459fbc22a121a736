import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Port } from '../../src/units/network.ts';
import { here } from '../support/machine.ts';
import { until } from '../support/netns.ts';
import { isInstalled } from '../support/programs.ts';
import { freePort } from '../support/free-port.ts';
import { GateTarget } from './gate-target.ts';
import type { Row } from './table.ts';
import { readTypeScript } from '../support/typescript.ts';

/** Sent each way, over each of the connections. */
const BYTES = 6000 * 65_536;

/** The rounds are turned about, so that a disturbance does not meet one side alone; the best of each counts. */
const ROUNDS = 3;

const chunk = Buffer.alloc(65_536, 'x');

/** How much goes through the gate in a second, against a plain TCP forwarder and no forwarder at all. */
export async function throughput(): Promise<readonly Row[]> {
  if (!isInstalled('socat')) return [{ what: 'not measured', measured: 'socat is not installed' }];
  const service = await startService('stream-program.ts');
  const gate = await GateTarget.start(service.port);
  const socat = await startSocat(service.port);
  const large = await startSocat(service.port, '-b', '65536');
  try {
    const through = {
      gate: () => gate.enter(),
      socat: () => plain(socat.port),
      'socat -b 65536': () => plain(large.port),
      nothing: () => plain(service.port),
    };
    await gate.grant(2 * ROUNDS);
    const best: Record<string, number> = {};
    for (let round = 0; round < ROUNDS; round++) {
      for (const way of ['up', 'down'] as const) {
        for (const [name, open] of Object.entries(through)) {
          const key = `${name} ${way}`;
          best[key] = Math.max(best[key] ?? 0, await megabytesPerSecond(await open(), way));
        }
      }
    }
    return (['up', 'down'] as const).flatMap((way) => rowsOf(best, way));
  } finally {
    await gate.stop();
    socat.child.kill();
    large.child.kill();
    service.child.disconnect();
  }
}

function rowsOf(best: Readonly<Record<string, number>>, way: 'up' | 'down'): readonly Row[] {
  const of = (name: string): number => best[`${name} ${way}`] ?? 0;
  const rate = (name: string): string => `${of(name).toFixed(0)} MB/s`;
  const to = way === 'up' ? 'to the service' : 'from the service';
  const share = of('gate') / of('socat');
  return [
    { what: `${to}, no forwarder`, measured: rate('nothing') },
    { what: `${to}, through socat`, measured: rate('socat') },
    { what: `${to}, through socat with larger buffers`, measured: rate('socat -b 65536') },
    { what: `${to}, through the gate`, measured: rate('gate') },
    {
      what: `${to}, the gate against socat`,
      measured: `${(100 * share).toFixed(0)} %`,
      target: 'at least 60 %',
      isReached: share >= 0.6,
    },
  ];
}

async function megabytesPerSecond(stream: Duplex, way: 'up' | 'down'): Promise<number> {
  stream.write(`${way === 'up' ? 'take' : 'give'} ${String(BYTES)}`);
  const startedAt = performance.now();
  await (way === 'up' ? send(stream) : receive(stream));
  const seconds = (performance.now() - startedAt) / 1000;
  stream.destroy();
  return BYTES / seconds / 1e6;
}

async function send(stream: Duplex): Promise<void> {
  await once(stream, 'data'); // it is ready
  for (let sent = 0; sent < BYTES; sent += chunk.length) {
    if (!stream.write(chunk)) await once(stream, 'drain');
  }
  await once(stream, 'data'); // it has all
}

async function receive(stream: Duplex): Promise<void> {
  let left = BYTES;
  stream.on('data', ({ length }: Buffer) => (left -= length));
  await once(stream, 'end');
  if (left !== 0) throw new Error(`${String(left)} bytes are missing`);
}

interface Started {
  readonly child: ChildProcess;
  readonly port: Port;
}

/** Starts a service of ours in a process of its own. */
export async function startService(name: string): Promise<Started> {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const child = fork(program, { execArgv: [...readTypeScript] });
  const [port] = (await once(child, 'message')) as [Port];
  return { child, port };
}

async function startSocat(target: Port, ...options: readonly string[]): Promise<Started> {
  const port = (await freePort()) as Port;
  const listen = `TCP-LISTEN:${String(port)},bind=127.0.0.1,fork,reuseaddr,nodelay`;
  const child = here.spawn(
    ['socat', ...options, listen, `TCP:127.0.0.1:${String(target)},nodelay`],
    {
      stdio: 'inherit',
    },
  );
  const isListening = (): Promise<boolean> =>
    plain(port).then(
      (stream) => {
        stream.destroy();
        return true;
      },
      () => false,
    );
  await until(isListening, 'socat to listen');
  return { child, port };
}

async function plain(port: Port): Promise<Duplex> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  await once(socket, 'connect');
  return socket;
}
