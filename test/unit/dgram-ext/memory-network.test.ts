import test from 'ava';
import { type MemoryNetworkOptions, MemoryNetwork } from '../../../src/dgram-ext/memory-network.ts';
import type { DatagramSocket } from '../../../src/host/datagram-socket.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import type { Endpoint } from '../../../src/units/network.ts';
import { address, at, firstLocal, testContract } from './contract.ts';

{
  const clock = new FakeClock();
  const network = new MemoryNetwork({ clock });
  testContract({
    name: 'memory',
    bind: (_t, ...endpoints) => Promise.resolve(network.bind(...endpoints)),
    reach: (_t, server) => Promise.resolve(network.bind({ ...firstLocal(server), port: 0 })),
    settle: (isDone) => {
      clock.advance(0);
      return isDone() ? Promise.resolve() : Promise.reject(new Error('it never will be done'));
    },
  });
}

interface Received {
  readonly number: number;
  readonly remote: Endpoint;
  readonly atMs: number;
}

function record(socket: DatagramSocket, clock: FakeClock): Received[] {
  const received: Received[] = [];
  socket.listen(([number = 0], remote) =>
    received.push({ number, remote, atMs: clock.monotonicMs() }),
  );
  return received;
}

function sendMany(from: DatagramSocket, to: Endpoint, count: number): void {
  for (let i = 0; i < count; i++) from.send(Uint8Array.of(i % 256), to, firstLocal(from));
}

/** What arrives of 400 datagrams sent at once. */
function run(options: Omit<MemoryNetworkOptions, 'clock'>): Received[] {
  const clock = new FakeClock();
  const network = new MemoryNetwork({ clock, ...options });
  const server = network.bind(at('192.0.2.1', 62_202));
  const received = record(server, clock);
  sendMany(network.bind(at('198.51.100.1')), firstLocal(server), 400);
  clock.advance(10_000);
  return received;
}

test('loses the share it is told to, in one direction only', (t) => {
  const clock = new FakeClock();
  const server = at('192.0.2.1', 62_202);
  const network = new MemoryNetwork({
    clock,
    conditions: (_from, to) => ({ loss: to.address === server.address ? 0.3 : 0 }),
  });
  const [a, b] = [network.bind(server), network.bind(at('198.51.100.1'))];
  const [atA, atB] = [record(a, clock), record(b, clock)];
  sendMany(b, server, 400);
  sendMany(a, firstLocal(b), 400);
  clock.advance(0);
  t.true(atA.length > 240 && atA.length < 320);
  t.is(atB.length, 400);
});

test('duplicates the share it is told to', (t) => {
  const { length } = run({ conditions: () => ({ duplication: 0.5 }) });
  t.true(length > 560 && length < 640);
});

test('delays between the limits, so that datagrams overtake each other', (t) => {
  const startMs = new FakeClock().monotonicMs();
  const received = run({ conditions: () => ({ minDelayMs: 10, maxDelayMs: 50 }) });
  t.is(received.length, 400);
  t.true(received.every(({ atMs }) => atMs - startMs >= 10 && atMs - startMs <= 50));
  t.true(received.some(({ number }, i) => number < (received[i - 1]?.number ?? 0) - 1));
});

test('keeps the order where all take the same time', (t) => {
  const received = run({ conditions: () => ({ minDelayMs: 20, maxDelayMs: 20 }) });
  t.true(received.every(({ number }, i) => number === i % 256));
});

test('is the same for the same seed and another for another', (t) => {
  const conditions = () => ({ loss: 0.3, duplication: 0.2, minDelayMs: 1, maxDelayMs: 90 });
  t.deepEqual(run({ seed: 7, conditions }), run({ seed: 7, conditions }));
  t.notDeepEqual(run({ seed: 7, conditions }), run({ seed: 8, conditions }));
});

test('an endpoint with two addresses answers from the one that was asked', (t) => {
  const clock = new FakeClock();
  const network = new MemoryNetwork({ clock });
  const server = network.bind(at('192.0.2.1', 9), at('192.0.2.2', 9));
  const client = network.bind(at('198.51.100.1'));
  server.listen((bytes, remote, local) => {
    server.send(Uint8Array.from(bytes), remote, local);
  });
  const answers = record(client, clock);
  for (const each of server.local) client.send(Uint8Array.of(1), each, firstLocal(client));
  clock.advance(0);
  t.deepEqual(
    answers.map(({ remote }) => remote),
    server.local,
  );
});

test('finds out who keeps received bytes or reuses bytes that are on their way', (t) => {
  const clock = new FakeClock();
  const network = new MemoryNetwork({ clock });
  const server = network.bind(at('192.0.2.1', 9));
  const client = network.bind(at('198.51.100.1'));
  const kept: Uint8Array[] = [];
  const numbers: (number | undefined)[] = [];
  server.listen((bytes) => {
    numbers.push(bytes[0]);
    kept.push(bytes);
  });
  const reused = Uint8Array.of(1);
  client.send(reused, firstLocal(server), firstLocal(client));
  reused[0] = 2;
  clock.advance(0);
  t.deepEqual(numbers, [2]);
  t.not(kept[0]?.[0], 2);
});

function behindNat(options: { randomPorts?: boolean; rebindAfterMs?: number } = {}) {
  const clock = new FakeClock();
  const network = new MemoryNetwork({ clock });
  const publicAddress = address('203.0.113.7');
  const inside = [address('10.0.0.1'), address('10.0.0.2')];
  const nat = network.nat({ inside, publicAddress, ...options });
  const server = network.bind(at('192.0.2.1', 62_202));
  const client = network.bind(at('10.0.0.1', 40_000));
  const neighbour = network.bind(at('10.0.0.2', 40_000));
  const atServer = record(server, clock);
  const ask = (socket: DatagramSocket): Endpoint => {
    socket.send(Uint8Array.of(1), firstLocal(server), firstLocal(socket));
    clock.advance(0);
    return atServer.at(-1)?.remote ?? at('0.0.0.0');
  };
  return { clock, network, nat, server, client, neighbour, ask };
}

test('NAT: the server sees the public address, and the answer finds its way back', (t) => {
  const { clock, server, client, neighbour, ask } = behindNat();
  const [atClient, atNeighbour] = [record(client, clock), record(neighbour, clock)];
  t.deepEqual(ask(client), at('203.0.113.7', 40_000));
  t.deepEqual(ask(client), at('203.0.113.7', 40_000));
  // the port is taken now
  t.deepEqual(ask(neighbour), at('203.0.113.7', 40_001));
  server.send(Uint8Array.of(2), at('203.0.113.7', 40_001), firstLocal(server));
  clock.advance(0);
  t.is(atClient.length, 0);
  t.deepEqual(
    atNeighbour.map(({ remote }) => remote),
    [firstLocal(server)],
  );
});

test('NAT: only the remote of a flow gets in by it', (t) => {
  const { clock, network, client, ask } = behindNat();
  const atClient = record(client, clock);
  const observed = ask(client);
  const stranger = network.bind(at('192.0.2.66', 62_202));
  stranger.send(Uint8Array.of(9), observed, firstLocal(stranger));
  stranger.send(Uint8Array.of(9), firstLocal(client), firstLocal(stranger));
  clock.advance(0);
  t.deepEqual(atClient, []);
});

test('NAT: random ports differ from the client’s and from flow to flow', (t) => {
  const { ask, client, neighbour } = behindNat({ randomPorts: true });
  const [first, second] = [ask(client), ask(neighbour)];
  t.not(first.port, 40_000);
  t.not(first.port, second.port);
  t.deepEqual(ask(client), first);
});

for (const randomPorts of [false, true]) {
  test(`NAT: after rebinding the flow has a new port and the old one is dead (random ${String(randomPorts)})`, (t) => {
    const { clock, nat, server, client, ask } = behindNat({ randomPorts });
    const atClient = record(client, clock);
    const answer = (to: Endpoint): void => {
      server.send(Uint8Array.of(2), to, firstLocal(server));
      clock.advance(0);
    };
    const first = ask(client);
    nat.rebind();
    answer(first);
    t.is(atClient.length, 0);
    const second = ask(client);
    t.not(first.port, second.port);
    answer(first);
    t.is(atClient.length, 0);
    answer(second);
    t.is(atClient.length, 1);
  });
}

test('NAT: a flow ends after rebindAfterMs', (t) => {
  const { clock, client, ask } = behindNat({ rebindAfterMs: 100 });
  const first = ask(client);
  clock.advance(99);
  t.deepEqual(ask(client), first);
  clock.advance(1);
  t.not(ask(client).port, first.port);
});

test('NAT behind NAT (CGNAT)', (t) => {
  const { clock, network, server, client, ask } = behindNat();
  const carrier = address('100.64.0.1');
  network.nat({ inside: [address('203.0.113.7')], publicAddress: carrier, randomPorts: true });
  const atClient = record(client, clock);
  const observed = ask(client);
  t.is(observed.address, carrier);
  server.send(Uint8Array.of(2), observed, firstLocal(server));
  clock.advance(0);
  t.is(atClient.length, 1);
});

test('neighbours behind one NAT see each other’s own addresses', (t) => {
  const { clock, client, neighbour } = behindNat();
  const atNeighbour = record(neighbour, clock);
  client.send(Uint8Array.of(1), firstLocal(neighbour), firstLocal(client));
  clock.advance(0);
  t.deepEqual(
    atNeighbour.map(({ remote }) => remote),
    [firstLocal(client)],
  );
});
