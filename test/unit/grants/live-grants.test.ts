import test from 'ava';
import fc from 'fast-check';
import { LiveGrants } from '../../../src/grants/live-grants.ts';
import { parsePeerName, type GrantId } from '../../../src/units/names.ts';
import type { UnixMs } from '../../../src/units/time.ts';
import { address, plan } from './plans.ts';

const someId = fc.integer({ min: 0, max: 30 }).map((n) => n.toString(16).padStart(16, '0'));
const somePeer = fc.constantFrom('a', 'b', 'c').map(parsePeerName);
const someSource = fc
  .constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2')
  .map(address);

const step = fc.record({
  kind: fc.constantFrom('set', 'delete'),
  id: someId,
  peer: somePeer,
  source: someSource,
});

test('counts by peer and source are those of the grants that are there, whatever happened before', (t) => {
  const limits = { perPeer: 3, perSource: 4, total: 8 };
  const property = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const live = new LiveGrants(limits);
    for (const { kind, id, ...who } of steps) {
      if (kind === 'delete') live.delete(id as GrantId);
      else if (live.hasRoomFor(plan(who))) {
        live.set({ ...plan(who), id: id as GrantId, expiresAt: 0 as UnixMs });
      }
    }
    const all = live.all();
    const prefixOf = (source: string): string => (source.includes(':') ? 'v6' : source);
    for (const peer of ['a', 'b', 'c'].map(parsePeerName)) {
      const own = all.filter((each) => each.peer === peer);
      t.deepEqual(new Set(live.of(peer)), new Set(own));
      for (const source of ['192.0.2.1', '2001:db8::1'].map(address)) {
        const near = all.filter((each) => prefixOf(each.source) === prefixOf(source));
        const room = all.length < 8 && own.length < 3 && near.length < 4;
        t.is(live.hasRoomFor(plan({ peer, source })), room);
      }
    }
  });
  fc.assert(property, { numRuns: 200 });
});

test('a grant is found by its id until it is deleted', (t) => {
  const live = new LiveGrants({ perPeer: 1, perSource: 1, total: 1 });
  const id = '0123456789abcdef' as GrantId;
  live.set({ ...plan(), id, expiresAt: 0 as UnixMs });
  t.is(live.get(id)?.id, id);
  live.delete(id);
  live.delete(id);
  t.is(live.get(id), null);
});
