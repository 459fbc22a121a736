import test from 'ava';
import { dropReasons } from '../../../src/errors/drop-reason.ts';
import { KnockLimits } from '../../../src/guard/knock-limits.ts';
import { drops, type Judgement } from '../../../src/handshake/judgement.ts';
import { PeerTable } from '../../../src/handshake/peer-table.ts';
import { Responder } from '../../../src/handshake/responder.ts';
import type { DatagramListener, DatagramSocket } from '../../../src/host/datagram-socket.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { FakeLog } from '../../../src/host/fake-log.ts';
import { KnockPort } from '../../../src/server/knock-port.ts';
import type { Knock, Outcome } from '../../../src/units/knock.ts';
import type { LeaseWish } from '../../../src/units/lease.ts';
import { parsePeerName } from '../../../src/units/names.ts';
import type { Endpoint } from '../../../src/units/network.ts';
import {
  alice,
  ask,
  type Asked,
  attacker,
  endpoint,
  flips,
  granted,
  inside,
  leaseOf,
  outside,
  refused,
  requestOf,
  START,
  wish,
} from '../../sim/exchange.ts';

const local = endpoint('198.51.100.1', 62_202);

interface Sent {
  readonly bytes: Uint8Array;
  readonly remote: Endpoint;
  readonly local: Endpoint;
}

/** A socket that only a test feeds. */
class FakeSocket implements DatagramSocket {
  readonly local = [local];
  readonly sent: Sent[] = [];
  #listener: DatagramListener = () => undefined;

  listen(listener: DatagramListener): void {
    this.#listener = listener;
  }

  receive(bytes: Uint8Array, remote: Endpoint = outside): void {
    this.#listener(bytes, remote, local);
  }

  send(bytes: Uint8Array, remote: Endpoint, from: Endpoint): void {
    this.sent.push({ bytes, remote, local: from });
  }

  counters() {
    return { received: 0, sent: 0, truncated: 0, sendDropped: 0, receiveDropped: 0 };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

type Admit = (knock: Knock) => Promise<Outcome>;

function setUp(admit: Admit = () => Promise.resolve(granted), isOverloaded = false) {
  const peers = new PeerTable();
  peers.add(parsePeerName('alice'), alice);
  let isClosed = false;
  const plenty = { perSecond: 1e6, burst: 1e6 };
  const responder = new Responder({
    peers,
    entropy: new FakeEntropy(7),
    limits: new KnockLimits(plenty, plenty),
    replayCapacity: 16,
    admits: () => !isOverloaded || !isClosed,
  });
  const clock = new FakeClock();
  clock.advance(START - clock.monotonicMs());
  const socket = new FakeSocket();
  const log = new FakeLog();
  const knocks: Knock[] = [];
  const leases: LeaseWish[] = [];
  const port = new KnockPort({
    socket,
    responder,
    flood: { isOverloaded, arrived: () => undefined, sent: () => undefined },
    clock,
    log,
    admit: (knock) => {
      knocks.push(knock);
      return admit(knock);
    },
    keepLease: (wish) => {
      leases.push(wish);
      return Promise.resolve({ status: 'done', lifetimeMs: granted.lifetimeMs });
    },
  });
  // the same responder is asked for a Challenge by the way, so that the Response fits
  const asked: Asked = ask(responder);
  /** From now on there is no time for anything that may be turned away. */
  const close = (): void => {
    isClosed = true;
  };
  return { socket, port, clock, log, knocks, leases, asked, close };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a Request is answered at once, to where it came from and from where it arrived', (t) => {
  const { socket, port } = setUp();
  socket.receive(requestOf());
  t.is(socket.sent.length, 1);
  t.like(socket.sent[0], { remote: outside, local });
  t.true((socket.sent[0]?.bytes.length ?? 999) <= requestOf().length);
  t.is(port.counters().answered, 1);
});

test('a Response becomes a knock with its wish, and the outcome goes back', async (t) => {
  const { socket, port, knocks, asked } = setUp();
  socket.receive(asked.response);
  await turn();
  t.is(knocks.length, 1);
  t.like(knocks[0], {
    peer: 'alice',
    service: wish.service,
    admission: wish.admission,
    observed: outside,
    claimed: inside,
  });
  t.like(socket.sent[0], { remote: outside, local });
  t.like(port.counters(), { answered: 0, granted: 1, refused: 0 });
});

test('nothing is sent before the outcome is known', async (t) => {
  let decide: (outcome: Outcome) => void = () => undefined;
  const { socket, asked } = setUp(() => new Promise((resolve) => (decide = resolve)));
  socket.receive(asked.response);
  await turn();
  t.deepEqual(socket.sent, []);
  decide(granted);
  await turn();
  t.is(socket.sent.length, 1);
});

test('a repeated Response is told the same again and opens nothing new (P6)', async (t) => {
  const { socket, port, knocks, asked } = setUp();
  socket.receive(asked.response);
  await turn();
  socket.receive(asked.response);
  await turn();
  t.is(knocks.length, 1);
  t.deepEqual(socket.sent[1]?.bytes, socket.sent[0]?.bytes);
  t.like(port.counters(), { answered: 1, granted: 1 });
});

test('a Response repeated while the firewall is at work opens nothing new either', async (t) => {
  const { socket, port, knocks, asked } = setUp(() => new Promise(() => undefined));
  for (let i = 0; i < 5; i++) socket.receive(asked.response);
  await turn();
  t.is(knocks.length, 1);
  t.is(port.counters().drops.pending, 4);
});

test('a refusal is told and counted as one', async (t) => {
  const { socket, port, asked } = setUp(() => Promise.resolve(refused));
  socket.receive(asked.response);
  await turn();
  t.is(socket.sent.length, 1);
  t.like(port.counters(), { granted: 0, refused: 1 });
});

test('a fault of ours is told as a refusal, never as granted, and the server lives on', async (t) => {
  const { socket, port, log, asked } = setUp(() => Promise.reject(new Error('nft is on fire')));
  socket.receive(asked.response);
  await turn();
  t.is(socket.sent.length, 1);
  t.like(port.counters(), { granted: 0, refused: 1 });
  t.is(log.lines.filter(({ level }) => level === 'error').length, 1);
  socket.receive(requestOf());
  t.is(port.counters().answered, 1);
});

test('P1: what is wrong in any bit gets silence and a counter', async (t) => {
  const { socket, port, knocks, asked } = setUp();
  let count = 0;
  for (const bytes of [...flips(requestOf()), ...flips(asked.response)]) {
    socket.receive(bytes);
    count++;
  }
  socket.receive(asked.response, attacker);
  socket.receive(new Uint8Array(0));
  await turn();
  const { drops, ...others } = port.counters();
  t.deepEqual(others, { answered: 0, granted: 0, refused: 0, leases: 0 });
  t.is(
    dropReasons.reduce((sum, reason) => sum + drops[reason], 0),
    count + 2,
  );
  t.deepEqual(socket.sent, []);
  t.deepEqual(knocks, []);
});

test('counters are a copy that stays as it was', (t) => {
  const { socket, port } = setUp();
  const before = port.counters();
  socket.receive(new Uint8Array(3));
  t.is(before.drops.length, 0);
  t.is(port.counters().drops.length, 1);
});

test('who holds a grant is answered about it, from where the Lease arrived', async (t) => {
  const { socket, port, leases, knocks, asked } = setUp();
  socket.receive(asked.response);
  await turn();
  const lease = leaseOf(knocks[0]?.sessionSecret ?? new Uint8Array());
  socket.receive(lease.bytes, { ...outside, port: 1 });
  await turn();
  t.like(leases[0], { operation: 'renew', grant: granted.grant, isLast: true });
  const answer = socket.sent.at(-1);
  t.deepEqual([answer?.remote, answer?.local], [{ ...outside, port: 1 }, local]);
  t.deepEqual(lease.read(answer?.bytes), { status: 'done', lifetimeMs: granted.lifetimeMs });
  t.is(port.counters().leases, 1);
  socket.receive(lease.bytes, attacker);
  await turn();
  t.is(leases.length, 1);
  t.is(port.counters().drops.source, 1);
});

test('while a judge is at work on any number of datagrams, peers of the responder are answered (T-08)', async (t) => {
  const { socket, port, asked } = setUp();
  const done: ((judgement: Judgement) => void)[] = [];
  const place = port.addJudge({
    owns: (bytes) => bytes[0] === 0x77,
    receive: () => new Promise((resolve) => done.push(resolve)),
    conclude: () => new Uint8Array(),
    concludeLease: () => null,
  });
  const his = new Uint8Array(1037).fill(0x77);
  for (let i = 0; i < 2000; i++) socket.receive(his, attacker);
  socket.receive(asked.response);
  await turn();
  t.like(port.counters(), { granted: 1 });
  t.is(done.length, 2000, 'none of his is done yet');
  for (const each of done) each({ kind: 'drop', reason: 'overload' });
  await turn();
  t.is(port.counters().drops.overload, 2000);
  place.remove();
  socket.receive(his, attacker);
  t.is(port.counters().drops.length, 1, 'and then they are the responder to judge');
});

test('under overload Responses with certificates wait behind those of peers, and are bounded', async (t) => {
  const { socket, port, clock, asked } = setUp(undefined, true);
  const judged: Uint8Array[] = [];
  port.addJudge({
    owns: (bytes) => bytes[0] === 0x77,
    receive: (bytes) => {
      judged.push(bytes);
      return drops.proof;
    },
    conclude: () => new Uint8Array(),
    concludeLease: () => null,
  });
  const his = (length: number): Uint8Array => new Uint8Array(length).fill(0x77);
  for (let i = 0; i < 1000; i++) socket.receive(his(1037), attacker);
  socket.receive(his(1037), outside);
  t.is(judged.length, 0);
  socket.receive(asked.response);
  await turn();
  t.is(port.counters().granted, 1, 'a peer goes first');
  socket.receive(his(100), attacker);
  socket.receive(his(72), attacker);
  t.deepEqual(
    judged.map(({ length }) => length),
    [100, 72],
    'what is not a Response does not wait',
  );
  clock.advance(1);
  t.is(judged.length, 2 + 4);
  clock.advance(1000);
  t.is(judged.length, 2 + 256);
  t.is(port.counters().drops.overload, 1001 - 256, 'of who floods');
});

test('under overload who holds a grant is heard, when nobody else is', async (t) => {
  const { socket, port, knocks, leases, asked, close } = setUp(undefined, true);
  socket.receive(asked.response);
  await turn();
  close();
  socket.receive(requestOf());
  socket.receive(asked.response);
  t.is(port.counters().drops.overload, 2);
  socket.receive(leaseOf(knocks[0]?.sessionSecret ?? new Uint8Array()).bytes);
  await turn();
  t.is(leases.length, 1);
});

test('what a stranger sends makes nothing that would have to be collected (P9)', (t) => {
  const { socket, port } = setUp();
  const request = requestOf();
  const [stranger, short] = [Uint8Array.from(request).fill(0xee, 0, 8), request.subarray(1)];
  const ROUND = 100_000;
  /** Bytes that a datagram has cost. Now and then the engine makes something of its own, or collects. */
  const round = (): number => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < ROUND; i += 2) {
      socket.receive(stranger);
      socket.receive(short);
    }
    return Math.abs(process.memoryUsage().heapUsed - before) / ROUND;
  };
  const costs = Array.from({ length: 10 }, round);
  // the smallest object takes 16 bytes, and here 8 where pointers are compressed
  t.true(
    Math.min(...costs) < 1,
    `bytes a datagram: ${costs.map((each) => each.toFixed(1)).join(' ')}`,
  );
  t.like(port.counters().drops, { tag: ROUND * 5, length: ROUND * 5 });
});
