import test from 'ava';
import fc from 'fast-check';
import { TokenBuckets } from '../../../src/guard/token-buckets.ts';
import type { MonotonicMs } from '../../../src/units/time.ts';

const at = (ms: number): MonotonicMs => ms as MonotonicMs;

function takenOf(
  buckets: TokenBuckets,
  key: string,
  { tries, now }: { tries: number; now: number },
): number {
  return Array.from({ length: tries }, () => buckets.take(key, at(now))).filter(Boolean).length;
}

test('gives a burst, then refills at its rate', (t) => {
  const buckets = new TokenBuckets({ perSecond: 2, burst: 5 }, 10);
  t.is(takenOf(buckets, 'a', { tries: 20, now: 0 }), 5);
  t.is(takenOf(buckets, 'a', { tries: 20, now: 499 }), 0);
  t.is(takenOf(buckets, 'a', { tries: 20, now: 500 }), 1);
  t.is(takenOf(buckets, 'a', { tries: 20, now: 2500 }), 4);
});

test('fills up to the burst and no further', (t) => {
  const buckets = new TokenBuckets({ perSecond: 2, burst: 5 }, 10);
  t.is(takenOf(buckets, 'a', { tries: 20, now: 0 }), 5);
  t.is(takenOf(buckets, 'a', { tries: 20, now: 1_000_000 }), 5);
});

test('a try that fails costs nothing', (t) => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 10);
  t.true(buckets.take('a', at(0)));
  for (let now = 1; now < 1000; now++) t.false(buckets.take('a', at(now)));
  t.true(buckets.take('a', at(1001)));
});

test('looking whether there is a token takes none', (t) => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 10);
  for (let i = 0; i < 10; i++) t.true(buckets.has('a', at(0)));
  t.true(buckets.take('a', at(0)));
  for (let now = 0; now < 1000; now++) t.false(buckets.has('a', at(now)));
  t.true(buckets.has('a', at(1001)));
  t.true(buckets.take('a', at(1001)));
});

test('T-09: looking does not take a place', (t) => {
  const buckets = new TokenBuckets({ perSecond: 0, burst: 1 }, 1);
  t.true(buckets.take('a', at(0)));
  t.true(buckets.has('b', at(0)));
  t.false(buckets.take('a', at(0)));
});

test('T-08: one key cannot use up the tokens of another', (t) => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 3 }, 10);
  t.is(takenOf(buckets, 'flood', { tries: 10_000, now: 0 }), 3);
  t.is(takenOf(buckets, 'quiet', { tries: 3, now: 0 }), 3);
});

test('T-09: at capacity the key used least recently goes, and no other', (t) => {
  const buckets = new TokenBuckets({ perSecond: 0, burst: 1 }, 3);
  for (const key of ['a', 'b', 'c']) t.true(buckets.take(key, at(0)));
  // a try is a use, even if it fails
  t.false(buckets.take('a', at(1)));
  t.true(buckets.take('d', at(2)));
  for (const key of ['a', 'c', 'd']) t.false(buckets.take(key, at(3)), key);
  // b had gone: it begins anew
  t.true(buckets.take('b', at(4)));
});

test('nobody ever gets more than the burst and what the rate gave since', (t) => {
  const rate = { perSecond: 10, burst: 4 };
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(200))), (tries) => {
      const buckets = new TokenBuckets(rate, 3);
      const taken = new Map<string, number>();
      let now = 0;
      for (const [key, waitMs] of tries) {
        now += waitMs;
        if (buckets.take(key, at(now))) taken.set(key, (taken.get(key) ?? 0) + 1);
      }
      const most = rate.burst + (now / 1000) * rate.perSecond;
      for (const count of taken.values()) t.true(count <= most);
    }),
  );
});
