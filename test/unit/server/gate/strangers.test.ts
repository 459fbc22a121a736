import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { gateKey } from '../../../../src/admission/gate/gate-key.ts';
import { tlsParameters } from '../../../../src/admission/gate/tls-parameters.ts';
import { FakeClock } from '../../../../src/host/fake-clock.ts';
import { MAX_WAITING_PER_SOURCE, TIME_LIMIT_MS } from '../../../../src/server/gate/waiting-room.ts';
import type { Port } from '../../../../src/units/network.ts';
import { until } from '../../../support/netns.ts';
import { address } from '../../grants/plans.ts';
import { GateStage } from './gates.ts';

/** What a stranger sees of a connection, and when by the gate's clock. */
interface Seen {
  readonly bytes: number;
  readonly end: string;
}

function watch(socket: Socket): Promise<Seen> {
  let bytes = 0;
  socket.on('data', (data) => (bytes += data.length));
  return new Promise((resolve) => {
    socket.once('end', () => {
      resolve({ bytes, end: 'end' });
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ bytes, end: error.code ?? '' });
    });
  });
}

/** A gate with one live grant, whose clock the test moves. */
async function setUp(t: ExecutionContext) {
  const clock = new FakeClock();
  const stage = await GateStage.create(t, 1 as Port, { clock });
  const open = async (): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: stage.gate.port, allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  };
  return { clock, stage, open };
}

/** What TLS says first with these options, without anybody at the other end. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const { Duplex } = await import('node:stream');
  return new Promise((resolve) => {
    const socket = new Duplex({
      read: () => undefined,
      write: (bytes: Buffer, _, done) => {
        resolve(bytes);
        done();
      },
    });
    connectTls({ ...options, socket }).on('error', () => undefined);
  });
}

const wrongKey = (identity: string): ConnectionOptions => ({
  ...tlsParameters,
  pskCallback: () => ({ psk: randomBytes(32), identity }),
});

const sayings: Readonly<Record<string, (stage: GateStage) => Promise<Buffer> | Buffer>> = {
  nothing: () => Buffer.alloc(0),
  'one byte': () => Buffer.of(22),
  'a request of HTTP': () => Buffer.from('GET / HTTP/1.1\r\nHost: gate\r\n\r\n'),
  'random bytes': () => randomBytes(300),
  'more than any hello has': () => randomBytes(100_000),
  'TLS 1.3 without a key': () => helloOf({ minVersion: 'TLSv1.3' }),
  'TLS 1.2': () => helloOf({ maxVersion: 'TLSv1.2' }),
  'a key that nobody was granted': () => helloOf(wrongKey('ab'.repeat(16))),
  'a wrong key by the name of a live grant': (stage) =>
    helloOf(wrongKey(gateKey(stage.grant().sessionSecret).identity)),
  'the right key from an address that did not knock': (stage) => {
    const { sessionSecret } = stage.grant({ source: address('203.0.113.99') });
    const { identity, key } = gateKey(sessionSecret);
    return helloOf({ ...tlsParameters, pskCallback: () => ({ psk: Buffer.from(key), identity }) });
  },
};

for (const [name, say] of Object.entries(sayings)) {
  test(`T-13: who says ${name} hears nothing, and is reset when the time is over`, async (t) => {
    const { clock, stage, open } = await setUp(t);
    const socket = await open();
    const seen = watch(socket);
    socket.write(await say(stage));
    if (name === 'nothing') socket.end();
    await until(() => stage.gate.counters()['waiting'] === 1, 'the gate to meet him');
    clock.advance(TIME_LIMIT_MS - 1);
    const early = await Promise.race([seen, new Promise((r) => setTimeout(r, 100, 'nothing yet'))]);
    t.is(early, 'nothing yet');
    clock.advance(1);
    t.deepEqual(await seen, { bytes: 0, end: 'ECONNRESET' });
    await until(() => stage.gate.counters()['waiting'] === 0, 'the gate to forget him');
  });
}

test('who says the right key is answered', async (t) => {
  const { stage, open } = await setUp(t);
  const { identity, key } = gateKey(stage.grant().sessionSecret);
  const socket = await open();
  socket.write(
    await helloOf({ ...tlsParameters, pskCallback: () => ({ psk: Buffer.from(key), identity }) }),
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  t.is(answer[0], 22, 'a handshake record');
  socket.destroy();
});

test('the key of a grant that has ended admits nobody', async (t) => {
  const { clock, stage, open } = await setUp(t);
  const { sessionSecret, grant } = stage.grant();
  stage.gate.end(grant);
  const { identity, key } = gateKey(sessionSecret);
  const socket = await open();
  const seen = watch(socket);
  socket.write(
    await helloOf({ ...tlsParameters, pskCallback: () => ({ psk: Buffer.from(key), identity }) }),
  );
  await until(() => stage.gate.counters()['unproven'] === 1, 'the gate to judge');
  clock.advance(TIME_LIMIT_MS);
  t.deepEqual(await seen, { bytes: 0, end: 'ECONNRESET' });
});

test('who comes when there is no room takes the place of the one who waits longest', async (t) => {
  const { stage, open } = await setUp(t);
  const first = await open();
  const seen = watch(first);
  const others: Socket[] = [];
  for (let i = 0; i < MAX_WAITING_PER_SOURCE; i++) others.push(await open());
  t.deepEqual(await seen, { bytes: 0, end: 'ECONNRESET' });
  t.is(stage.gate.counters()['waiting'], MAX_WAITING_PER_SOURCE);
  for (const each of others) each.destroy();
});
