import test, { type ExecutionContext } from 'ava';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { FakeLog } from '../../../src/host/fake-log.ts';
import { programBeside } from '../../../src/server/start-thread.ts';
import { type Order, WorkerPool } from '../../../src/server/worker-pool.ts';
import { until } from '../../support/netns.ts';

type TestJob =
  { readonly add: number } | { readonly waitFor: Int32Array<SharedArrayBuffer> } | 'throw' | 'exit';

/** A thread that adds, waits to be let go, throws, or ends, as the job says. */
async function work(): Promise<void> {
  const { parentPort, ...thread } = await import('node:worker_threads');
  const { base, isBroken } = thread.workerData as { base: number; isBroken?: boolean };
  if (isBroken === true) throw new Error('broken from the start');
  parentPort?.on('message', ({ id, job }: Order<TestJob>) => {
    if (job === 'throw') throw new Error('as the job wants it');
    if (job === 'exit') return process.exit();
    if ('waitFor' in job) Atomics.wait(job.waitFor, 0, 0);
    parentPort.postMessage({ id, result: 'add' in job ? base + job.add : base });
  });
  parentPort?.postMessage('ready');
}

// with nothing to load: a thread starts in a tenth of the time that it takes with a TypeScript loader
const program = new URL(`data:text/javascript,${encodeURIComponent(`await (${String(work)})()`)}`);

async function start(t: ExecutionContext, { threads = 1, capacity = 4, data = {} } = {}) {
  const clock = new FakeClock();
  const log = new FakeLog();
  const options = { program, data: { base: 100, ...data }, threads, capacity, clock, log };
  const pool = await WorkerPool.start<TestJob, number>(options);
  t.teardown(() => pool.stop());
  return { pool, clock, log };
}

/** A job that lasts until it is let go. */
function gate(): { readonly job: TestJob; open: () => void } {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const open = (): void => {
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
  };
  return { job: { waitFor: flag }, open };
}

test('jobs come back with their results, whichever thread did them', async (t) => {
  const { pool } = await start(t, { threads: 3, capacity: 100 });
  const all = Array.from({ length: 50 }, (_, add) => pool.run('a', { add }));
  t.deepEqual(
    await Promise.all(all),
    Array.from({ length: 50 }, (_, add) => 100 + add),
  );
  t.like(pool.counters(), { threads: 3, waiting: 0, done: 50, overflowed: 0, crashed: 0 });
});

test('what does not fit in the line is dropped, oldest first, and counted', async (t) => {
  const { pool } = await start(t, { capacity: 2 });
  const { job, open } = gate();
  const held = [pool.run('a', job), pool.run('a', { add: 1 })]; // with the thread, and ahead of it
  const waiting = [2, 3, 4].map((add) => pool.run('a', { add }));
  t.is(await waiting[0], null, 'at once, while the thread is still held');
  t.like(pool.counters(), { waiting: 2, overflowed: 1, done: 0 });
  open();
  t.deepEqual(await Promise.all([...held, ...waiting]), [100, 101, null, 103, 104]);
});

for (const way of ['throw', 'exit'] as const) {
  test(`a thread that ends by ${way} is replaced, and what it had in hand is given up`, async (t) => {
    const { pool, clock, log } = await start(t);
    t.is(await pool.run('a', way), null);
    await until(() => pool.counters().crashed === 1, 'the end to be noticed');
    t.like(pool.counters(), { threads: 0 });
    t.is(log.lines.filter(({ level }) => level === 'error').length, 1);
    const next = pool.run('a', { add: 5 });
    clock.advance(250);
    t.is(await next, 105);
    t.like(pool.counters(), { threads: 1, crashed: 1 });
  });
}

test('stop ends the threads also in the middle of work, and tells whoever waits', async (t) => {
  const { pool } = await start(t, { threads: 2 });
  const jobs = Array.from({ length: 6 }, () => pool.run('a', gate().job));
  await pool.stop();
  t.deepEqual(await Promise.all(jobs), Array(6).fill(null));
  t.like(pool.counters(), { threads: 0, waiting: 0, crashed: 0 });
  t.is(await pool.run('a', { add: 1 }), null);
  await pool.stop();
});

test('a pool whose threads cannot start says so', async (t) => {
  const fault = await t.throwsAsync(start(t, { threads: 2, data: { isBroken: true } }));
  t.like(fault, { name: 'HknockError', code: 'host' });
});

test('a program beside a module is of its kind, built or not', (t) => {
  t.is(programBeside('file:///a/b.ts', 'c').href, 'file:///a/c.ts');
  t.is(programBeside('file:///a/b.js', 'c').href, 'file:///a/c.js');
});
