import type { Machine } from '../support/machine.ts';
import { startService } from '../support/service.ts';
import { addresses } from '../support/topology.ts';
import { type KnockStage, knockStage } from './knock-stage.ts';
import { milliseconds, percentile, type Row } from './table.ts';

/** Knocks that are timed, and those before them that let both sides warm up: by then all is compiled. */
const TIMED = 1000;
const WARM_UP = 4000;

/** A virtual machine is disturbed by its neighbours for a second or so: the quietest of such batches tells what we do. */
const BATCH = 100;

interface Times {
  readonly knocks: readonly number[];
  readonly connects: readonly number[];
}

/** From a knock to a port that can be used, through a NAT with the real programs and the kernel's firewall. */
export async function knocks(): Promise<readonly Row[]> {
  const stage = await knockStage({ web: ['tcp/8080', '--ttl', '60s'] });
  try {
    await startService(stage.server, 8080);
    const roundTrip = await pingOf(stage.client);
    const times = await timesOf(stage);
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
    ];
  } finally {
    await stage.remove();
  }
}

function batches(values: readonly number[]): readonly (readonly number[])[] {
  const count = Math.floor(values.length / BATCH);
  return Array.from({ length: count }, (_, at) => values.slice(at * BATCH, (at + 1) * BATCH));
}

async function pingOf({ place }: Machine): Promise<number> {
  const { stdout } = await place.exec(['ping', '-q', '-c', '200', '-i', '0.01', addresses.server]);
  return Number(/= [\d.]+\/([\d.]+)\//.exec(stdout)?.[1]);
}

async function timesOf(stage: KnockStage): Promise<Times> {
  const times = await stage.run<Times>('knock-program.ts', String(WARM_UP + TIMED));
  return { knocks: times.knocks.slice(WARM_UP), connects: times.connects.slice(WARM_UP) };
}
