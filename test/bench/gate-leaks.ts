import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { until } from '../support/netns.ts';
import { type GateHoldings, GateTarget } from './gate-target.ts';
import { startService } from './gate.ts';
import type { Row } from './table.ts';

const CONNECTIONS = 10_000;
const AT_ONCE = 20;

/** A machine that does other work at the same time is slow, and leaves nothing behind for that. */
const PATIENT_MS = 60_000;

/** Before the first look: by then all is compiled, and the buffers that are kept for later are there. */
const WARM_UP = 2000;

/** What ten thousand connections leave behind in the gate's process: as much as nothing. */
export async function leaks(): Promise<readonly Row[]> {
  const service = await startService('stream-program.ts');
  const gate = await GateTarget.start(service.port);
  try {
    await pass(gate, WARM_UP);
    const before = await settled(gate);
    await requireSight(gate, before);
    const startedAt = performance.now();
    await pass(gate, CONNECTIONS);
    const seconds = (performance.now() - startedAt) / 1000;
    const after = await settled(gate);
    const grown = (key: 'heap' | 'rss'): number => (after[key] - before[key]) / 1e6;
    return [
      {
        what: `connections through the gate, ${String(AT_ONCE)} at a time`,
        measured: `${String(CONNECTIONS)}, ${(CONNECTIONS / seconds).toFixed(0)}/s`,
      },
      {
        what: 'sockets left behind',
        measured: String(after.sockets - before.sockets),
        target: '0',
        isReached: after.sockets === before.sockets,
      },
      {
        what: 'growth, live memory',
        measured: `${grown('heap').toFixed(1)} MB`,
        target: 'under 1 MB',
        isReached: grown('heap') < 1,
      },
      { what: 'growth, resident', measured: `${grown('rss').toFixed(1)} MB` },
    ];
  } finally {
    await gate.stop();
    service.child.disconnect();
  }
}

/** Has so many connections come through and end; every tenth is broken off by the client. */
async function pass(gate: GateTarget, count: number): Promise<void> {
  await gate.grant(count);
  let left = count;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const stream = await gate.enter();
      stream.write('give 65536');
      if (left % 10 === 0) stream.destroy();
      else await heardOut(stream);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
}

async function heardOut(stream: Duplex): Promise<void> {
  stream.end();
  await finished(stream.resume());
}

/** What the gate holds when all have left and their grants are over. */
async function settled(gate: GateTarget): Promise<GateHoldings> {
  let holdings = await gate.holdings();
  await until(
    async () => {
      holdings = await gate.holdings();
      return holdings.visitors + holdings.waiting === 0;
    },
    'all to leave the gate',
    PATIENT_MS,
  );
  await gate.endGrants();
  return gate.holdings();
}

/** @throws {Error} unless connections that stay would be seen */
async function requireSight(gate: GateTarget, { sockets }: GateHoldings): Promise<void> {
  await gate.grant(10);
  const streams = await Promise.all(Array.from({ length: 10 }, () => gate.enter()));
  const areIn = async (): Promise<boolean> => (await gate.holdings()).visitors === 10;
  await until(areIn, 'ten to be in', PATIENT_MS);
  const { sockets: then } = await gate.holdings();
  for (const stream of streams) stream.destroy();
  await settled(gate);
  if (then - sockets < 20) throw new Error('sockets that are open are not counted');
}
