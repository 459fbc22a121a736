import test from 'ava';
import { HeldGrants, type KernelOpening } from '../../../../src/firewall/nftables/held-grants.ts';
import { FakeClock } from '../../../../src/host/fake-clock.ts';
import type { ServicePort } from '../../../../src/units/network.ts';
import { opening, tcp } from '../bench.ts';

function once(ports: readonly ServicePort[], lifetimeMs = 30_000): KernelOpening {
  return { ...opening('192.0.2.1', ports, { lifetimeMs }), admission: 'once' };
}

test('grants for the same key take a lane each, until there is none', (t) => {
  const held = new HeldGrants(new FakeClock());
  for (let lane = 0; lane < 8; lane++) {
    const each = once([tcp(22)]);
    t.is(held.freeLane(each), lane);
    held.hold(held.place(each, lane));
  }
  t.is(held.freeLane(once([tcp(22)])), null);
  t.is(held.freeLane(once([tcp(80)])), 0);
  t.is(held.freeLane(once([tcp(80), tcp(22)])), null);
});

test('a lane is free again a second after the grant has ended, not before', (t) => {
  const clock = new FakeClock();
  const held = new HeldGrants(clock);
  held.hold(held.place(once([tcp(22)], 1000), 0));
  clock.advance(1999);
  t.is(held.freeLane(once([tcp(22)])), 1);
  clock.advance(1);
  t.is(held.freeLane(once([tcp(22)])), 0);
  t.deepEqual(held.all(), []);
});

test('who was driven out of a lane does not give it up', (t) => {
  const held = new HeldGrants(new FakeClock());
  const [early, late] = [once([tcp(22), tcp(80)]), once([tcp(22)])];
  held.hold(held.place(early, 0));
  held.hold(held.place(late, 0));
  t.deepEqual(held.release(early.grant)?.ports, [tcp(80)]);
  t.is(held.freeLane(once([tcp(22)])), 1);
  t.deepEqual(held.release(late.grant)?.ports, [tcp(22)]);
  t.is(held.release(late.grant), null);
});

test('who takes over a lane never has the mark of who was there', (t) => {
  const held = new HeldGrants(new FakeClock());
  held.hold(held.place(once([tcp(22)]), 0));
  const [before] = held.all();
  for (let i = 0; i < 100; i++) t.not(held.place(once([tcp(22)]), 0).mark, before?.mark);
});
