import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { parseAddress } from '../../../src/bytes/address.ts';
import { openSocket } from '../../../src/dgram-ext/open-socket.ts';
import { type InitiatorContext, start, step } from '../../../src/handshake/initiator.ts';
import { deriveKeys } from '../../../src/handshake/keys.ts';
import { encodeRequest, encodeRequestBody } from '../../../src/handshake/wire/request.ts';
import { FakeFirewall } from '../../../src/host/fake-firewall.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { FakeLog } from '../../../src/host/fake-log.ts';
import { Server } from '../../../src/server/server.ts';
import { startWorkers } from '../../../src/server/workers.ts';
import { PeerStore } from '../../../src/store/peer-store.ts';
import type { Profile } from '../../../src/store/profile.ts';
import { createSystemClock } from '../../../src/system/clock.ts';
import { createSystemEntropy } from '../../../src/system/entropy.ts';
import { parsePeerName, parseServiceName } from '../../../src/units/names.ts';
import { until } from '../../support/netns.ts';
import { Folder } from './folder.ts';
import { knockFor, outcomeOf } from './running.ts';

const clock = createSystemClock();
const entropy = createSystemEntropy();
const wish = { claimed: null, service: parseServiceName('ssh'), admission: null };

interface Running {
  readonly server: Server;
  readonly profile: Profile;
  readonly folder: Folder;
  /** Its threads, as they come. */
  readonly threads: readonly Worker[];
}

/** A server with so many workers and the peer `alice`. The threads know the system's clock only, and so does it. */
async function run(t: ExecutionContext, workers: number): Promise<Running> {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice');
  await folder.edit(/^workers = 1$/m, `workers = ${String(workers)}`);
  const threads: Worker[] = [];
  const notice = (thread: Worker): void => {
    threads.push(thread);
  };
  process.on('worker', notice);
  const server = await Server.start({
    directory: folder.path,
    createFirewall: () => new FakeFirewall(new FakeClock()),
    modes: [startWorkers],
    clock,
    entropy,
    log: new FakeLog(),
  });
  t.teardown(async () => {
    process.off('worker', notice);
    await server.stop();
  });
  return { server, profile, folder, threads };
}

/** What the threads have counted. */
function counted(server: Server): Readonly<Record<string, number>> {
  return server.status().modes['workers'] ?? {};
}

/** A client's socket, which the test reads only when it wants to. */
async function client(t: ExecutionContext, { port }: Profile) {
  const socket = openSocket(4);
  const connected = once(socket, 'connect');
  socket.connect(port, '127.0.0.1');
  await connected;
  t.teardown(() => socket.close());
  const answers: Buffer[] = [];
  socket.on('message', (bytes) => answers.push(bytes));
  return { socket, answers };
}

/** Keeps the main thread from reading until the threads have counted so many, or for ten seconds. */
function holdUp(server: Server, counter: string, atLeast: number): void {
  const end = performance.now() + 10_000;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  while (countOf(server, counter) < atLeast && performance.now() < end) {
    Atomics.wait(sleeper, 0, 0, 5);
  }
}

function countOf(server: Server, counter: string): number {
  return counted(server)[counter] ?? 0;
}

function requestOf(profile: Profile): Uint8Array {
  return encodeRequest(deriveKeys(profile), entropy.bytes(24), encodeRequestBody(wish));
}

/** A Response to a Challenge that `ask` gets for a Request. */
async function responseOf(
  profile: Profile,
  ask: (request: Uint8Array) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const context: InitiatorContext = { keys: deriveKeys(profile), wish, entropy };
  const now = clock.monotonicMs();
  const { state, send } = start(context, now);
  const bytes = await ask(send[0] ?? new Uint8Array());
  const challenged = step(context, state, { event: { kind: 'datagram', bytes }, now }).state;
  return step(context, challenged, { event: { kind: 'proceed' }, now }).send[0] ?? new Uint8Array();
}

test.serial(
  'a Challenge of one worker is answered to any, and the same Response to all of them is taken once',
  async (t) => {
    const { server, profile } = await run(t, 3);
    const { socket, answers } = await client(t, profile);
    const response = await responseOf(profile, async (request) => {
      socket.send(request);
      holdUp(server, 'answered', 1);
      await until(() => answers.length > 0, 'the Challenge');
      return answers[0] ?? new Uint8Array();
    });
    t.like(counted(server), { threads: 2, answered: 1, handedOn: 0 });
    t.is(server.status().datagrams.received, 0, 'a thread has answered, and not the main one');

    const others = await Promise.all([1, 2, 3].map(() => client(t, profile)));
    for (let i = 0; i < 25; i++) for (const each of others) each.socket.send(response);
    holdUp(server, 'handedOn', 75);
    for (let i = 0; i < 25; i++) for (const each of others) each.socket.send(response);
    await until(() => server.status().datagrams.received === 150, 'all of them');
    await until(() => server.grants().length === 1, 'the grant');
    t.like(server.status(), { replayRecords: 1, knocks: { granted: 1, refused: 0 } });
    t.true(countOf(server, 'handedOn') >= 75, 'threads had half of them');
    const { answered, drops } = server.status().knocks;
    t.is(answered + drops.pending, 149, 'each of the others had the same Grant, or no answer yet');
  },
);

test.serial('clients knock as ever, whoever reads what they send', async (t) => {
  const { server, profile } = await run(t, 2);
  for (let i = 0; i < 8; i++) t.true((await knockFor(profile)).granted);
  t.is(server.status().knocks.granted, 8);
});

test.serial('a thread drops what it can judge, by the reason', async (t) => {
  const { server, profile } = await run(t, 2);
  const { socket, answers } = await client(t, profile);
  const spoiled = requestOf(profile);
  spoiled.fill(0, 90);
  socket.send(entropy.bytes(100));
  socket.send(entropy.bytes(99));
  socket.send(spoiled);
  holdUp(server, 'dropped mac', 1);
  t.like(counted(server), { received: 3, 'dropped tag': 1, 'dropped length': 1, 'dropped mac': 1 });
  t.deepEqual(answers, []);
});

test.serial('a worker that ends is replaced, and no grant is lost by it', async (t) => {
  const { server, profile, threads } = await run(t, 2);
  t.true((await knockFor(profile)).granted);
  const before = server.grants();
  await threads[0]?.terminate();
  await until(() => counted(server)['crashed'] === 1, 'the end to be noticed');
  t.deepEqual(server.grants(), before);
  t.true((await knockFor(profile)).granted, 'the main one reads');
  await until(() => threads.length === 2, 'another');
  const { socket } = await client(t, profile);
  const read = countOf(server, 'received');
  await until(() => {
    socket.send(requestOf(profile));
    return countOf(server, 'received') > read;
  }, 'the new one to read');
  t.like(counted(server), { threads: 1, crashed: 1 });
});

test.serial(
  'a reload reaches all: a peer that is new is answered by a thread, one that is revoked is a stranger to it',
  async (t) => {
    const { server, profile, folder } = await run(t, 2);
    const bob = await folder.addPeer('bob');
    await server.reload();
    const { socket, answers } = await client(t, profile);
    socket.send(requestOf(bob));
    holdUp(server, 'answered', 1);
    t.like(counted(server), { answered: 1, 'dropped tag': 0 });
    await until(() => answers.length === 1, 'the Challenge');

    await new PeerStore(folder.path).revoke(parsePeerName('bob'));
    // nothing else that is wrong with the folder keeps a revoked peer in
    await folder.edit(/^workers = 2$/m, 'workers = "many"');
    await t.throwsAsync(server.reload(), { code: 'config' });
    await until(() => {
      socket.send(requestOf(bob));
      return countOf(server, 'dropped tag') > 0;
    }, 'the thread to have heard');
    t.is(await outcomeOf(profile), 'granted');
  },
);

test.serial('the port is free when the server has stopped', async (t) => {
  const { server, profile } = await run(t, 2);
  await server.stop();
  const socket = openSocket(4);
  const address = parseAddress('127.0.0.1') ?? '';
  await t.notThrowsAsync(
    new Promise<void>((resolve, reject) => {
      socket.once('error', reject).bind(profile.port, address, resolve);
    }),
  );
  socket.close();
});
