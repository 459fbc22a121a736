import test from 'ava';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { FakeLog } from '../../../src/host/fake-log.ts';
import { FloodGate } from '../../../src/server/flood-gate.ts';
import { endpoint } from '../../sim/exchange.ts';

const alice = endpoint('203.0.113.7', 4000);

function setUp() {
  const clock = new FakeClock();
  const log = new FakeLog();
  const entropy = new FakeEntropy(1);
  let busy = 0;
  const flood = new FloodGate({ load: { busy: () => busy }, clock, log });
  /** Datagrams from ever new addresses, a tenth of a second apart from the next; gives how many are to be judged. */
  const arrive = (count: number, load: number): number => {
    busy = load;
    clock.advance(100);
    const now = clock.monotonicMs();
    let admitted = 0;
    for (let i = 0; i < count; i++) {
      flood.arrived(now);
      const bytes = entropy.bytes(24);
      const source = endpoint(`10.0.${String(i >> 8)}.${String(i & 255)}`, 1);
      if (flood.admits(bytes, source, now)) admitted++;
    }
    return admitted;
  };
  return { flood, clock, log, arrive };
}

test('while there is no overload all are judged', (t) => {
  const { flood, log, arrive } = setUp();
  t.is(arrive(20_000, 0.5), 20_000);
  t.is(arrive(20_000, 1), 20_000, 'nor at a spike');
  t.deepEqual(flood.status(), { state: 'calm', times: 0, turnedAway: 0 });
  t.deepEqual(log.lines, []);
});

test('under overload the crowd has a budget, and who was answered is judged always', (t) => {
  const { flood, clock, arrive } = setUp();
  flood.sent(new Uint8Array(126), alice);
  arrive(1, 1);
  arrive(1, 1);
  t.is(flood.status().state, 'overloaded');
  const admitted = arrive(5000, 1);
  t.true(admitted < 5000);
  t.is(flood.status().turnedAway, 5000 - admitted);
  const now = clock.monotonicMs();
  t.false(flood.admits(new FakeEntropy(8).bytes(24), endpoint('203.0.113.8', 1), now));
  t.true(flood.admits(new FakeEntropy(9).bytes(24), alice, now));
  const asked = endpoint('203.0.113.9', 4000);
  flood.sent(new Uint8Array(100), asked);
  t.true(flood.admits(new FakeEntropy(10).bytes(222), asked, now), 'the answer to a Challenge');
});

test('says when it begins and when it is over, once each, also when nothing comes any more', (t) => {
  const { flood, clock, log, arrive } = setUp();
  for (let i = 0; i < 50; i++) arrive(10, 1);
  t.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn'],
  );
  arrive(1, 0.1);
  clock.advance(3000);
  t.deepEqual(flood.status(), { state: 'calm', times: 1, turnedAway: 0 });
  t.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn', 'info'],
  );
});

test('looks no more when it is stopped', (t) => {
  const { flood, clock, log, arrive } = setUp();
  for (let i = 0; i < 3; i++) arrive(1, 1);
  flood.stop();
  clock.advance(10_000);
  t.is(log.lines.length, 1);
});
