import test from 'ava';
import { HeldGrants, type KernelOpening } from '../../../../src/firewall/nftables/held-grants.ts';
import { FakeClock } from '../../../../src/host/fake-clock.ts';
import type { ServicePort } from '../../../../src/units/network.ts';
import { opening, tcp } from '../bench.ts';

function once(ports: readonly ServicePort[], lifetimeMs = 30_000, peer = 'ann'): KernelOpening {
  return { ...opening('192.0.2.1', ports, { lifetimeMs, peer }), admission: 'once' };
}

test('grants for the same key take a lane each, and a peer half of them at most', (t) => {
  const held = new HeldGrants(new FakeClock());
  const fill = (peer: string, from: number): void => {
    for (let lane = from; lane < from + 8; lane++) {
      const each = once([tcp(22)], 30_000, peer);
      t.is(held.choose(each, 16).free, lane);
      held.hold(held.place(each, lane));
    }
  };
  fill('ann', 0);
  t.deepEqual(held.choose(once([tcp(22)]), 16), {
    free: null,
    others: [0, 1, 2, 3, 4, 5, 6, 7],
    isPeerFull: true,
  });
  t.is(held.choose(once([tcp(80)]), 16).free, 0);
  t.is(held.choose(once([tcp(80), tcp(22)]), 16).free, null);
  fill('bob', 8);
  const third = held.choose(once([tcp(22)], 30_000, 'cid'), 16);
  t.like(third, { free: null, others: { length: 16 } });
});

test('what may be open still keeps its lane until it is closed, and no other’s', (t) => {
  const clock = new FakeClock();
  const held = new HeldGrants(clock);
  const [early, late] = [once([tcp(22), tcp(80)]), once([tcp(22)])];
  held.hold(held.place(early, 0));
  const released = held.release(early.grant);
  if (released === null) throw new Error('not held');
  held.noteUnclosed(released);
  t.is(held.choose(once([tcp(22)]), 16).free, 1);
  t.deepEqual(
    held.takeUnclosed().map(({ ports }) => ports),
    [[tcp(22)], [tcp(80)]],
  );
  held.hold(held.place(late, 0));
  held.noteUnclosed(released);
  clock.advance(31_000);
  t.deepEqual(held.takeUnclosed(), []);
  t.is(held.choose(once([tcp(80)]), 16).free, 0);
});

test('a lane is free again a second after the grant has ended, not before', (t) => {
  const clock = new FakeClock();
  const held = new HeldGrants(clock);
  held.hold(held.place(once([tcp(22)], 1000), 0));
  clock.advance(1999);
  t.is(held.choose(once([tcp(22)]), 16).free, 1);
  clock.advance(1);
  t.is(held.choose(once([tcp(22)]), 16).free, 0);
  t.deepEqual(held.all(), []);
});

test('who was driven out of a lane does not give it up', (t) => {
  const held = new HeldGrants(new FakeClock());
  const [early, late] = [once([tcp(22), tcp(80)]), once([tcp(22)])];
  held.hold(held.place(early, 0));
  held.hold(held.place(late, 0));
  t.deepEqual(held.release(early.grant)?.ports, [tcp(80)]);
  t.is(held.choose(once([tcp(22)]), 16).free, 1);
  t.deepEqual(held.release(late.grant)?.ports, [tcp(22)]);
  t.is(held.release(late.grant), null);
});

test('who takes over a lane never has the mark of who was there', (t) => {
  const held = new HeldGrants(new FakeClock());
  held.hold(held.place(once([tcp(22)]), 0));
  const [before] = held.all();
  for (let i = 0; i < 100; i++) t.not(held.place(once([tcp(22)]), 0).mark, before?.mark);
});
