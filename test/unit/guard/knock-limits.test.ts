import test from 'ava';
import { KnockLimits } from '../../../src/guard/knock-limits.ts';
import { parsePeerName } from '../../../src/units/names.ts';
import { at, endpoint } from '../../sim/exchange.ts';

const alice = parsePeerName('alice');
const bob = parsePeerName('bob');
const plenty = { perSecond: 0, burst: 1000 };

function source(text: string) {
  return endpoint(text, 1).address;
}

test('T-08: limits a peer wherever it knocks from, and no other peer', (t) => {
  const limits = new KnockLimits({ perSecond: 1, burst: 2 }, plenty);
  t.true(limits.take(alice, source('192.0.2.1'), at(0)));
  t.true(limits.take(alice, source('192.0.2.2'), at(0)));
  t.false(limits.take(alice, source('192.0.2.3'), at(0)));
  t.true(limits.take(bob, source('192.0.2.1'), at(0)));
  t.true(limits.take(alice, source('192.0.2.3'), at(1000)));
});

test('limits a source whoever knocks from it: an IPv4 address, or an IPv6 /64', (t) => {
  const limits = new KnockLimits(plenty, { perSecond: 1, burst: 1 });
  t.true(limits.take(alice, source('192.0.2.1'), at(0)));
  t.false(limits.take(bob, source('192.0.2.1'), at(0)));
  t.true(limits.take(bob, source('192.0.2.2'), at(0)));
  t.true(limits.take(alice, source('2001:db8:0:1::1'), at(0)));
  t.false(limits.take(alice, source('2001:db8:0:1:ffff::2'), at(0)));
  t.true(limits.take(alice, source('2001:db8:0:2::1'), at(0)));
});

test('T-08: what one limit refuses is not counted by the other', (t) => {
  const once = { perSecond: 0, burst: 1 };
  const limits = new KnockLimits(once, once);
  t.true(limits.take(alice, source('192.0.2.1'), at(0)));
  for (let i = 0; i < 10; i++) {
    t.false(limits.take(bob, source('192.0.2.1'), at(0)), 'the source has had its one');
    t.false(limits.take(alice, source('192.0.2.2'), at(0)), 'the peer has had its one');
  }
  t.true(limits.take(bob, source('192.0.2.2'), at(0)));
});
