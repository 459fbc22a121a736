import test from 'ava';
import type { Packet } from '../../../src/sequence/capture/packet.ts';
import { type Observation, Tracker } from '../../../src/sequence/tracker.ts';
import type { IpAddress } from '../../../src/units/network.ts';
import type { MonotonicMs } from '../../../src/units/time.ts';

const limits = { budget: 8, windowMs: 15_000, ignoreMs: 60_000, capacity: 10_000 };

const at = (ms: number): MonotonicMs => ms as MonotonicMs;

/** A SYN; another source port makes it another one. */
function syn(source: string, port: number, sourcePort = 40_000): Packet {
  return {
    protocol: 'tcp',
    source: source as IpAddress,
    destination: '198.51.100.2' as IpAddress,
    sourcePort,
    port,
    tcpFlags: 0x02,
    ttl: 57,
    syn: null,
  };
}

const portsOf = (seen: Observation): readonly number[] | string =>
  seen.kind === 'heard' ? seen.trail.map(({ port }) => port) : seen.kind;

/** Sends to ports 1 to `count`; gives what the last came to. */
function scan(tracker: Tracker, source: string, count: number): Observation | null {
  let seen: Observation | null = null;
  for (let port = 1; port <= count; port++) seen = tracker.observe(syn(source, port), at(0));
  return seen;
}

test('each source has a trail of its own, the newest last', (t) => {
  const tracker = new Tracker(limits);
  tracker.observe(syn('192.0.2.7', 1), at(0));
  tracker.observe(syn('192.0.2.8', 2), at(0));
  t.deepEqual(portsOf(tracker.observe(syn('192.0.2.7', 3), at(1))), [1, 3]);
});

test('a retransmission is not heard twice, the same port from another source port is', (t) => {
  const tracker = new Tracker(limits);
  tracker.observe(syn('192.0.2.7', 1), at(0));
  t.is(tracker.observe(syn('192.0.2.7', 1), at(1000)).kind, 'repeated');
  t.deepEqual(portsOf(tracker.observe(syn('192.0.2.7', 1, 40_001), at(1000))), [1, 1]);
});

test('what is older than the window is forgotten', (t) => {
  const tracker = new Tracker(limits);
  tracker.observe(syn('192.0.2.7', 1), at(0));
  tracker.observe(syn('192.0.2.7', 2), at(1));
  t.deepEqual(portsOf(tracker.observe(syn('192.0.2.7', 3), at(15_000))), [1, 2, 3]);
  t.deepEqual(portsOf(tracker.observe(syn('192.0.2.7', 4), at(15_001))), [2, 3, 4]);
});

test('one packet too many: all is forgotten, and the source ignored until its time is over', (t) => {
  const tracker = new Tracker(limits);
  t.is(scan(tracker, '192.0.2.7', 8)?.kind, 'heard');
  t.is(tracker.observe(syn('192.0.2.7', 9), at(0)).kind, 'exhausted');
  t.is(tracker.observe(syn('192.0.2.7', 10), at(59_999)).kind, 'ignored');
  t.deepEqual(portsOf(tracker.observe(syn('192.0.2.7', 11), at(60_000))), [11]);
});

test('the addresses of one IPv6 /64 share a budget, those of two do not', (t) => {
  const tracker = new Tracker(limits);
  for (let host = 1; host <= 8; host++) {
    tracker.observe(syn(`2001:db8::${String(host)}`, 1), at(0));
  }
  t.is(tracker.observe(syn('2001:db8::9', 1), at(0)).kind, 'exhausted');
  t.is(tracker.observe(syn('2001:db8:0:1::9', 1), at(0)).kind, 'heard');
});

test('knocks that have counted are gone and cost nothing, those of a neighbour stay', (t) => {
  const tracker = new Tracker(limits);
  tracker.observe(syn('192.0.2.7', 1), at(0));
  tracker.observe(syn('192.0.2.7', 2), at(0));
  const seen = tracker.observe(syn('192.0.2.7', 3), at(0));
  if (seen.kind !== 'heard') throw new Error(seen.kind);
  tracker.consume('192.0.2.7' as IpAddress, [...seen.trail.slice(0, 1), ...seen.trail.slice(2)]);
  t.deepEqual(portsOf(tracker.observe(syn('192.0.2.7', 4), at(0))), [2, 4]);
});

test('T-09: a scan of all ports costs as much as one of the budget', (t) => {
  const tracker = new Tracker(limits);
  const kinds = new Map<string, number>();
  for (let port = 1; port <= 65_535; port++) {
    const { kind } = tracker.observe(syn('192.0.2.7', port), at(0));
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  t.deepEqual(Object.fromEntries(kinds), { heard: 8, exhausted: 1, ignored: 65_535 - 9 });
  t.is(tracker.size, 1);
});

test('T-09: 100,000 sources at a time stay within the capacity, and each packet is looked at once', (t) => {
  const tracker = new Tracker(limits);
  const source = (n: number): string =>
    `10.${String(n >> 16)}.${String((n >> 8) & 255)}.${String(n & 255)}`;
  let largest = 0;
  let longest = 0;
  // all sources take the ports in step, which keeps every trail alive for longest
  for (let port = 1; port <= 10; port++) {
    for (let n = 0; n < 100_000; n++) {
      const seen = tracker.observe(syn(source(n), port), at(port));
      if (seen.kind === 'heard') longest = Math.max(longest, seen.trail.length);
      largest = Math.max(largest, tracker.size);
    }
  }
  t.is(largest, limits.capacity);
  t.true(longest <= limits.budget);
});

test('T-09: a knock comes through between the packets of ten that scan', (t) => {
  const tracker = new Tracker({ ...limits, capacity: 100 });
  const knocks = [5000, 11_000, 20_000, 33_000, 47_000, 60_000];
  let heard: readonly number[] | string = [];
  for (let port = 1; port <= 65_535; port++) {
    for (let n = 0; n < 10; n++) tracker.observe(syn(`203.0.113.${String(n)}`, port), at(0));
    if (knocks.includes(port)) heard = portsOf(tracker.observe(syn('192.0.2.7', port), at(0)));
  }
  t.deepEqual(heard, knocks);
});

test('T-09: what was heard least recently goes first, and comes back as if new', (t) => {
  const tracker = new Tracker({ ...limits, capacity: 6 });
  const hear = (source: string, port: number) =>
    portsOf(tracker.observe(syn(`192.0.2.${source}`, port), at(0)));
  hear('1', 10);
  hear('2', 20);
  t.deepEqual(hear('1', 11), [10, 11]);
  t.deepEqual(hear('3', 30), [30], 'which takes the room of 2');
  t.deepEqual(hear('1', 12), [10, 11, 12]);
  t.deepEqual(hear('2', 21), [21], 'which takes the room of 3');
  t.deepEqual(hear('3', 31), [31], 'which takes the room of 1');
  t.deepEqual(hear('2', 22), [21, 22]);
  t.deepEqual(hear('1', 13), [13]);
  t.true(tracker.size <= 6);
});
