import test from 'ava';
import { ReplayCache } from '../../../src/sknock/replay-cache.ts';

const first = { issuedAtUnixS: 100, digest: 'aa' };
const second = { issuedAtUnixS: 100, digest: 'bb' };
const third = { issuedAtUnixS: 103, digest: 'aa' };

test('a request is known by its time and digest, from when it was added', (t) => {
  const cache = new ReplayCache(8);
  t.false(cache.has(first));
  cache.add(first);
  t.true(cache.has(first));
  t.false(cache.has(second));
  t.false(cache.has(third));
});

test('what is added twice takes one place', (t) => {
  const cache = new ReplayCache(2);
  cache.add(first);
  cache.add(first);
  t.is(cache.size, 1);
  t.true(cache.hasRoom());
  cache.add(second);
  t.false(cache.hasRoom());
});

test('forgetting makes room, and what may have been forgotten counts as seen', (t) => {
  const cache = new ReplayCache(2);
  for (const each of [first, second]) cache.add(each);
  cache.forgetBefore(100);
  t.is(cache.size, 2, 'the second itself is still in the window');
  cache.forgetBefore(101);
  t.is(cache.size, 0);
  t.is(cache.forgottenUntilUnixS, 100);
  t.true(cache.has({ issuedAtUnixS: 99, digest: 'cc' }), 'older than one that was forgotten');
  t.false(cache.has(third));
});

test('where nothing was forgotten, an old request is left to the window', (t) => {
  const cache = new ReplayCache(2);
  cache.add(third);
  cache.forgetBefore(103);
  t.false(cache.has(first));
});

test('the latest second that was ever forgotten counts', (t) => {
  const cache = new ReplayCache(2);
  cache.forgetUntil(103);
  cache.forgetUntil(50);
  t.true(cache.has(third));
});

test('all that are remembered can be listed', (t) => {
  const cache = new ReplayCache(4);
  for (const each of [first, second, third]) cache.add(each);
  cache.forgetBefore(101);
  t.deepEqual([...cache.all()], [third]);
});
