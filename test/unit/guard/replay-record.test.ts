import test from 'ava';
import fc from 'fast-check';
import { ReplayRecord } from '../../../src/guard/replay-record.ts';
import type { MonotonicMs } from '../../../src/units/time.ts';

const at = (ms: number): MonotonicMs => ms as MonotonicMs;
const cookie = (number: number): Uint8Array => Uint8Array.of(number >> 8, number & 0xff);
const answer = Uint8Array.of(42);

test('P6: a cookie is unknown, then pending, then has its answer', (t) => {
  const record = new ReplayRecord(4);
  t.is(record.find(cookie(1)), null);
  t.true(record.begin(cookie(1), at(100), at(0)));
  t.is(record.find(cookie(1)), 'pending');
  record.conclude(cookie(1), answer);
  t.is(record.find(cookie(1)), answer);
  t.is(record.find(cookie(2)), null);
});

test('P6: knows a cookie by its bytes, not by the memory they were in', (t) => {
  const record = new ReplayRecord(4);
  const memory = cookie(1);
  record.begin(memory, at(100), at(0));
  memory.fill(0xee);
  t.is(record.find(cookie(1)), 'pending');
});

test('T-09: takes no more than its capacity, and forgets none for a new one', (t) => {
  const record = new ReplayRecord(3);
  for (let i = 0; i < 3; i++) t.true(record.begin(cookie(i), at(100), at(0)));
  for (let i = 3; i < 100; i++) t.false(record.begin(cookie(i), at(100), at(100)));
  t.is(record.size, 3);
  for (let i = 0; i < 3; i++) t.is(record.find(cookie(i)), 'pending');
});

test('T-09: has room again when the challenges have expired, not a millisecond before', (t) => {
  const record = new ReplayRecord(1);
  record.begin(cookie(1), at(100), at(0));
  t.false(record.hasRoom(at(100)));
  t.false(record.begin(cookie(2), at(200), at(100)));
  t.is(record.find(cookie(1)), 'pending');
  t.true(record.hasRoom(at(101)));
  t.true(record.begin(cookie(2), at(200), at(101)));
  t.is(record.find(cookie(1)), null);
  t.is(record.size, 1);
});

test('a conclusion that comes after its entry has gone brings nothing back', (t) => {
  const record = new ReplayRecord(1);
  record.begin(cookie(1), at(100), at(0));
  record.begin(cookie(2), at(300), at(200));
  record.conclude(cookie(1), answer);
  t.is(record.find(cookie(1)), null);
  t.is(record.size, 1);
});

// the model: what was begun is found for as long as its challenge lives, whatever else comes in between
test('P6: whatever comes in between, nothing is forgotten before it expires', (t) => {
  const LIFE = 100;
  const events = fc.array(
    fc.record({ afterMs: fc.nat(40), ageMs: fc.nat(LIFE), concludes: fc.boolean() }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(events, fc.integer({ min: 1, max: 8 }), (list, capacity) => {
      const record = new ReplayRecord(capacity);
      const model = new Map<number, { expiresAt: number; concludes: boolean }>();
      let now = 1000;
      list.forEach(({ afterMs, ageMs, concludes }, number) => {
        now += afterMs;
        const expiresAt = now - ageMs + LIFE;
        if (record.begin(cookie(number), at(expiresAt), at(now))) {
          model.set(number, { expiresAt, concludes });
          if (concludes) record.conclude(cookie(number), answer);
        }
        t.true(record.size <= capacity);
        for (const [known, entry] of model) {
          if (entry.expiresAt < now) continue;
          t.is(record.find(cookie(known)), entry.concludes ? answer : 'pending');
        }
      });
      // a whole life later nothing is in the way any more
      t.true(record.begin(cookie(60), at(now + 3 * LIFE), at(now + LIFE + 1)));
      t.is(record.size, 1);
    }),
  );
});
