import test from 'ava';
import { Handshake } from '../../../src/client/handshake.ts';
import type { Conditions } from '../../../src/dgram-ext/memory-network.ts';
import { MemoryNetwork } from '../../../src/dgram-ext/memory-network.ts';
import { HknockError } from '../../../src/errors/hknock-error.ts';
import type { DatagramSocket } from '../../../src/host/datagram-socket.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import type { Endpoint } from '../../../src/units/network.ts';
import {
  contextOf,
  endpoint,
  flips,
  granted,
  inside,
  otherLengths,
  outside,
  responderOf,
} from '../../sim/exchange.ts';

const remote = endpoint('198.51.100.1', 62_202);

interface World {
  readonly conditions?: (from: Endpoint) => Partial<Conditions>;
  /** Whether the responder is there at all. */
  readonly answers?: boolean;
  /** What comes in the responder's name before each of its replies. */
  readonly before?: (reply: Uint8Array) => readonly Uint8Array[];
}

function setUp({ conditions = () => ({}), answers = true, before = () => [] }: World = {}) {
  const clock = new FakeClock();
  const network = new MemoryNetwork({ clock, conditions });
  network.nat({ inside: [inside.address], publicAddress: outside.address });
  const server = network.bind(remote);
  let knocks = 0;
  if (answers) {
    const responder = responderOf();
    server.listen((bytes, from, to) => {
      const judged = responder.receive(bytes, from, clock.monotonicMs());
      if (judged.kind === 'drop' || judged.kind === 'lease') return;
      if (judged.kind === 'knock') knocks++;
      const reply =
        judged.kind === 'reply' ? judged.bytes : responder.conclude(judged.ticket, granted);
      for (const each of [...before(reply), reply]) server.send(each, from, to);
    });
  }
  const socket = network.bind({ address: inside.address, port: 0 });
  return { clock, network, server, socket, knocks: () => knocks };
}

function begin({ clock, socket }: { clock: FakeClock; socket: DatagramSocket }): Handshake {
  return new Handshake({ context: contextOf(), socket, remote, clock });
}

/** Lets time go by in small steps, with all that waits for it, until something has come of the promise. */
async function pass<T>(clock: FakeClock, until: Promise<T>): Promise<T> {
  const state = { isOver: false };
  const over = (): void => {
    state.isOver = true;
  };
  until.then(over, over);
  for (let ms = 0; ms < 60_000 && !state.isOver; ms += 5) {
    clock.advance(5);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (!state.isOver) throw new Error('nothing has come of it in a minute');
  return until;
}

test('tells where the responder sees us, then what was granted', async (t) => {
  const world = setUp();
  const handshake = begin(world);
  const observed = await pass(world.clock, handshake.challenged());
  t.is(observed.address, outside.address);
  t.is(world.knocks(), 0, 'no proof is sent before we go on');
  const conclusion = await pass(world.clock, handshake.conclude());
  t.deepEqual(conclusion.outcome, granted);
  t.like(handshake.endpoints(conclusion.observed), {
    server: remote.address,
    observed: { address: outside.address },
    claimed: { address: inside.address },
    behindNat: true,
  });
});

test('sends again what is lost on the way', async (t) => {
  const world = setUp({ conditions: () => ({ loss: 0.4, maxDelayMs: 50 }) });
  const handshake = begin(world);
  await pass(world.clock, handshake.challenged());
  t.deepEqual((await pass(world.clock, handshake.conclude())).outcome, granted);
  t.is(world.knocks(), 1);
});

test('gives up on a responder that does not answer, within 8 s', async (t) => {
  const world = setUp({ answers: false });
  const startedAt = world.clock.monotonicMs();
  const handshake = begin(world);
  await t.throwsAsync(pass(world.clock, handshake.challenged()), {
    instanceOf: HknockError,
    code: 'no-answer',
  });
  const tookMs = world.clock.monotonicMs() - startedAt;
  t.true(tookMs > 7000 && tookMs <= 8000, String(tookMs));
  t.is(world.server.counters().received, 5);
});

test('gives up on a Grant that does not come', async (t) => {
  const world = setUp();
  const handshake = begin(world);
  await pass(world.clock, handshake.challenged());
  await world.server.close();
  await t.throwsAsync(pass(world.clock, handshake.conclude()), {
    instanceOf: HknockError,
    code: 'no-answer',
  });
});

test('P7: nothing that is wrong in any bit ends anything, also when it comes first', async (t) => {
  const world = setUp({ before: (reply) => [...flips(reply), ...otherLengths(reply)] });
  const handshake = begin(world);
  await pass(world.clock, handshake.challenged());
  t.deepEqual((await pass(world.clock, handshake.conclude())).outcome, granted);
  t.true(world.socket.counters().received > 1000);
});

test('closing tells whoever waits, frees the socket and stops the timers', async (t) => {
  const world = setUp({ answers: false });
  const handshake = begin(world);
  const waiting = handshake.challenged();
  await handshake.close();
  await t.throwsAsync(waiting, { instanceOf: HknockError, code: 'no-answer' });
  const { sent } = world.socket.counters();
  world.clock.advance(60_000);
  t.is(world.socket.counters().sent, sent);
  t.deepEqual(world.socket.local, []);
});

test('whoever asks after closing is told the same', async (t) => {
  const world = setUp({ answers: false });
  const handshake = begin(world);
  await handshake.close();
  await t.throwsAsync(handshake.challenged(), { instanceOf: HknockError, code: 'no-answer' });
});
