// The steps of shield.md, section 2, as test/e2e/shield.test.ts has them of the kernel.
import test from 'ava';
import { Crowd } from '../../../src/guard/crowd.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { type FloodLimits, floodLimits } from '../../../src/units/flood-limits.ts';
import { at, endpoint } from '../../sim/exchange.ts';

const generous = Object.fromEntries(
  Object.keys(floodLimits).map((name) => [name, { perSecond: 1e6, burst: 1e6 }]),
) as FloodLimits;

const few = { perSecond: 1, burst: 10 };

interface Sending {
  readonly from?: string;
  readonly fromPort?: number;
  readonly tag?: number;
  readonly length?: number;
  readonly count?: number;
  readonly same?: boolean;
  readonly share?: number;
  readonly now?: number;
}

/** Says how many of those that it is sent a crowd takes. */
function crowdOf(limits: Partial<FloodLimits>) {
  const crowd = new Crowd({ ...generous, ...limits });
  const entropy = new FakeEntropy(1);
  const send = (sending: Sending): number => {
    const { from = '192.0.2.1', fromPort = 4000, tag = 1, length = 100 } = sending;
    const { count = 50, same = false, share = 1, now = 0 } = sending;
    const make = (): Uint8Array => entropy.bytes(length).fill(tag, 0, 8);
    const first = make();
    const source = endpoint(from, fromPort);
    const taken = Array.from({ length: count }, () => {
      const bytes = same ? first : make();
      return crowd.admits({ bytes, source, isResponse: length === 222 }, share, at(now));
    });
    return taken.filter(Boolean).length;
  };
  return { crowd, send };
}

test('takes all while there is room', (t) => {
  t.is(crowdOf({}).send({ count: 5000 }), 5000);
});

test('copies of a datagram end, whatever address they name', (t) => {
  const { send } = crowdOf({ copies: { perSecond: 1, burst: 8 } });
  t.is(send({ same: true }), 8);
  t.is(send({ same: true, from: '192.0.2.2', count: 5 }), 5, 'positive control');
  t.is(send({}), 50, 'each of them new');
});

test('a client’s five sends of one datagram are not too many', (t) => {
  const crowd = new Crowd();
  const bytes = new FakeEntropy(1).bytes(100);
  const taken = [0, 250, 750, 1750, 3750].map((now) =>
    crowd.admits({ bytes, source: endpoint('192.0.2.1', 1), isResponse: false }, 1, at(now)),
  );
  t.deepEqual(taken, [true, true, true, true, true]);
});

test('busy sources have one share together, and are not shut out', (t) => {
  const { send } = crowdOf({ source: few, busy: few });
  // the one that was too many, and what all that are busy have
  t.is(send({}), 10 + 1 + 10);
  t.is(send({ from: '192.0.2.2', count: 5 }), 5, 'another source');
  t.is(send({ from: '2001:db8::1' }), 11);
  t.is(send({ from: '2001:db8::2' }), 0, 'one /64');
  t.true(send({ now: 2000 }) > 0);
});

test('a tag has a budget for each message, and others have theirs', (t) => {
  const { send } = crowdOf({ tag: few });
  t.is(send({}), 10);
  t.is(send({ tag: 2 }), 10);
  t.is(send({ length: 222 }), 10);
});

test('with less time the crowd gets less', (t) => {
  t.is(crowdOf({ crowd: { perSecond: 1, burst: 40 } }).send({ share: 1 / 4 }), 10);
  t.is(crowdOf({ tag: { perSecond: 1, burst: 40 } }).send({ share: 1 / 4 }), 10);
});

test('when the crowd is too large, those get through whom we answered', (t) => {
  const { crowd, send } = crowdOf({ crowd: few, awaited: { perSecond: 1, burst: 3 } });
  t.is(send({}), 10);
  t.is(send({}), 0, 'positive control');
  crowd.granted(endpoint('192.0.2.1', 4000), at(0));
  crowd.granted(endpoint('2001:db8::1', 4000), at(0));
  t.is(send({ fromPort: 4001 }), 50, 'a Grant went there');
  t.is(send({ from: '2001:db8::2' }), 50, 'to its /64');
  t.is(send({ from: '192.0.2.2' }), 0);
  crowd.challenged(endpoint('192.0.2.2', 4000), at(0));
  t.is(send({ from: '192.0.2.2', length: 222 }), 3, 'a Challenge went there');
  t.is(send({ from: '192.0.2.2', length: 222, fromPort: 4001 }), 0, 'to that port');
  t.is(send({ from: '192.0.2.2' }), 0, 'for a Response');
});

test('a known source that sends too much stands in the crowd like others', (t) => {
  const { crowd, send } = crowdOf({ known: few, crowd: few });
  crowd.granted(endpoint('192.0.2.1', 4000), at(0));
  t.is(send({}), 20);
  t.is(send({ now: 86_400_001 }), 10, 'and is no longer known after a day');
});

test('T-08: a flood under a copied tag from ever new addresses does not concern who is known, nor other tags', (t) => {
  const crowd = new Crowd();
  const datagram = new Uint8Array(100);
  const numbered = (tag: number, number: number): Uint8Array => {
    new DataView(datagram.fill(tag, 0, 8).buffer).setUint32(16, number);
    return datagram;
  };
  const alice = endpoint('203.0.113.7', 4000);
  crowd.granted(alice, at(0));
  let flooded = 0;
  let knocks = 0;
  // a second of 200,000
  for (let i = 0; i < 200_000; i++) {
    const now = at(Math.floor(i / 200));
    const forged = endpoint(
      `10.${String(i >> 16)}.${String((i >> 8) & 255)}.${String(i & 255)}`,
      9,
    );
    const bytes = numbered(1, i);
    if (crowd.admits({ bytes, source: forged, isResponse: false }, 1, now)) flooded++;
    if (i % 2000 !== 1999) continue;
    const source = i % 4000 === 1999 ? alice : endpoint('203.0.113.99', 1);
    const tag = source === alice ? 1 : 2;
    const knock = numbered(tag, 1_000_000 + i);
    if (crowd.admits({ bytes: knock, source, isResponse: false }, 1, now)) knocks++;
  }
  t.is(knocks, 100);
  t.true(flooded <= 8000 + 800, String(flooded));
});
