import test from 'ava';
import { Bans } from '../../../src/sequence/bans.ts';
import type { IpAddress } from '../../../src/units/network.ts';
import type { DurationMs, MonotonicMs } from '../../../src/units/time.ts';

const at = (ms: number): MonotonicMs => ms as MonotonicMs;
const minute = 60_000 as DurationMs;
const mallory = '192.0.2.66' as IpAddress;

test('a ban ends', (t) => {
  const bans = new Bans(10);
  bans.add(mallory, minute, at(0));
  t.true(bans.has(mallory, at(59_999)));
  t.false(bans.has(mallory, at(60_000)));
  t.false(bans.has('192.0.2.67' as IpAddress, at(0)));
});

test('of two bans the later end counts', (t) => {
  const bans = new Bans(10);
  bans.add(mallory, minute, at(0));
  bans.add(mallory, 1000 as DurationMs, at(1));
  t.true(bans.has(mallory, at(59_999)));
});

test('an IPv6 source is banned with its /64', (t) => {
  const bans = new Bans(10);
  bans.add('2001:db8::1' as IpAddress, minute, at(0));
  t.true(bans.has('2001:db8::ffff' as IpAddress, at(1)));
  t.false(bans.has('2001:db8:0:1::1' as IpAddress, at(1)));
});

test('no more are remembered than there is room for: those that have ended go first, then the oldest', (t) => {
  const bans = new Bans(2);
  const [a, b, c, d] = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'] as IpAddress[];
  if (!a || !b || !c || !d) return t.fail();
  bans.add(a, minute, at(0));
  bans.add(b, 10 as DurationMs, at(1));
  bans.add(c, minute, at(20));
  t.deepEqual(
    [a, b, c].map((each) => bans.has(each, at(21))),
    [true, false, true],
  );
  bans.add(d, minute, at(22));
  t.deepEqual(
    [a, c, d].map((each) => bans.has(each, at(23))),
    [false, true, true],
  );
});
