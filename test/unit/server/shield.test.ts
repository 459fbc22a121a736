import test from 'ava';
import type { ShieldCounts } from '../../../src/firewall/nftables/shield.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { FakeLog } from '../../../src/host/fake-log.ts';
import { ShieldMode } from '../../../src/server/shield.ts';

const none: ShieldCounts = {
  stranger: 0,
  length: 0,
  repeated: 0,
  expected: 0,
  busy: 0,
  tag: 0,
  crowd: 0,
  unlearned: 0,
};

/** A shield whose kernel says what the test wants, looked at every five seconds. */
function setUp() {
  const clock = new FakeClock();
  const log = new FakeLog();
  let said: ShieldCounts | null = none;
  let restored = 0;
  const done = (): Promise<void> => Promise.resolve();
  const kernel = {
    size: 3,
    replace: done,
    remove: done,
    counts: () => Promise.resolve(said),
    restore: () => {
      restored++;
      said = none;
      return Promise.resolve();
    },
  };
  const mode = new ShieldMode(kernel, { sharedTags: () => [], clock, log });
  const look = async (counts: Partial<ShieldCounts> | null): Promise<void> => {
    said = counts === null ? null : { ...none, ...counts };
    clock.advance(5000);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const lines = (): readonly string[] => log.lines.map(({ level }) => level);
  return { mode, look, lines, restored: () => restored };
}

test('shows what the kernel counted at each step', async (t) => {
  const { mode, look } = setUp();
  t.deepEqual(mode.counters(), { tags: 3 }, 'not looked yet');
  await look({ stranger: 7, expected: 2 });
  t.deepEqual(mode.counters(), { tags: 3, ...none, stranger: 7, expected: 2 });
});

test('a full table is said once, and once that it has room again', async (t) => {
  const { look, lines } = setUp();
  await look({});
  t.deepEqual(lines(), []);
  for (const unlearned of [10, 20, 30]) await look({ unlearned });
  t.deepEqual(lines(), ['warn']);
  for (const unlearned of [30, 30]) await look({ unlearned });
  t.deepEqual(lines(), ['warn', 'info']);
});

test('a table that is gone is put back, and counts from nothing', async (t) => {
  const { mode, look, lines, restored } = setUp();
  await look({ unlearned: 10 });
  await look({ unlearned: 10 });
  await look(null);
  t.is(restored(), 1);
  await look({ stranger: 1 });
  t.deepEqual(mode.counters(), { tags: 3, ...none, stranger: 1 });
  t.deepEqual(lines(), ['warn', 'info', 'warn'], 'full, room again, put back');
});
