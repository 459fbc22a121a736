import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { createSystemClock } from '../../../src/system/clock.ts';
import { readTypeScript } from '../../support/typescript.ts';

const clock = createSystemClock();
const module = new URL('../../../src/system/clock.ts', import.meta.url).href;

async function runNode(code: string): Promise<string> {
  const argv = [...readTypeScript, '--input-type=module', '-e', code];
  return (await promisify(execFile)(process.execPath, argv)).stdout;
}

test('monotonic time is whole milliseconds and never goes back', (t) => {
  let last = clock.monotonicMs();
  for (let i = 0; i < 10_000; i++) {
    const now = clock.monotonicMs();
    t.true(Number.isInteger(now) && now >= last);
    last = now;
  }
});

test('monotonic time is the same in another process', async (t) => {
  const before = clock.monotonicMs();
  const theirs = Number(
    await runNode(
      `import { createSystemClock } from '${module}'; console.log(createSystemClock().monotonicMs());`,
    ),
  );
  t.true(before <= theirs && theirs <= clock.monotonicMs());
});

test('unix time is that of the system', (t) => {
  const before = Date.now();
  const now = clock.unixMs();
  t.true(before <= now && now <= Date.now());
});

test('a timer never fires early', async (t) => {
  for (const delayMs of [0, 1, 2, 3, 7]) {
    const startMs = performance.now();
    // an unref'ed timer alone would let the test's process end
    const keepAlive = setTimeout(() => undefined, 10_000);
    await new Promise<void>((resolve) => clock.after(delayMs, resolve));
    clearTimeout(keepAlive);
    t.true(performance.now() - startMs >= delayMs);
  }
});

test('a cancelled timer does not fire', async (t) => {
  clock.after(1, () => t.fail()).cancel();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.pass();
});

test('a wait longer than setTimeout can do does not fire at once', async (t) => {
  const timer = clock.after(2 ** 40, () => t.fail());
  await new Promise((resolve) => setTimeout(resolve, 20));
  timer.cancel();
  t.pass();
});

test('a pending timer does not keep the process alive', async (t) => {
  await runNode(
    `import { createSystemClock } from '${module}'; createSystemClock().after(3_600_000, () => {});`,
  );
  t.pass();
});
