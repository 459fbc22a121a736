import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { openLocalPort } from '../../../src/client/local-port.ts';
import { parsePeerName } from '../../../src/units/names.ts';
import type { Port } from '../../../src/units/network.ts';
import { until } from '../../support/netns.ts';
import { GateStage, serve } from '../server/gate/gates.ts';
import { heard } from './heard.ts';

/** A local port that leads through a gate to a service of the test's. */
async function setUp(t: ExecutionContext, meet: (socket: Socket) => void) {
  const stage = await GateStage.create(t, await serve(t, meet));
  const faults: string[] = [];
  const local = await openLocalPort(stage.grant(), { onFault: ({ code }) => faults.push(code) });
  t.teardown(() => local.close());
  const call = async (): Promise<Socket> => {
    const { address: host, port } = local.endpoint;
    const socket = connect({ host, port, allowHalfOpen: true });
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    return socket;
  };
  return { stage, local, call, faults };
}

test('a local port leads its first connection to the service, with both ends of data', async (t) => {
  const { call, stage } = await setUp(t, (socket) => {
    void heard(socket).then((all) => socket.end(all.reverse()));
  });
  t.is(stage.gate.counters()['admitted'], 0, 'not before somebody connects');
  const socket = await call();
  socket.end('live');
  t.is(String(await heard(socket)), 'evil');
});

test('a second connection to a local port is refused', async (t) => {
  const { call, stage } = await setUp(t, (socket) => socket.pipe(socket));
  const socket = await call();
  await until(() => stage.gate.counters()['admitted'] === 1, 'the first to be let in');
  await t.throwsAsync(call(), { code: 'ECONNREFUSED' });
  socket.write('still there');
  t.is(String((await once(socket, 'data'))[0]), 'still there');
  socket.destroy();
});

test('what is cut at the gate does not look like the end of the data', async (t) => {
  const { call, stage } = await setUp(t, (socket) => socket.write('the first half'));
  const socket = await call();
  await once(socket, 'data');
  const ended = new Promise((resolve) => {
    socket.once('end', () => {
      resolve('end');
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code);
    });
  });
  stage.gate.cut({ peer: parsePeerName('alice'), source: null });
  t.is(await ended, 'ECONNRESET');
});

test('what breaks off here is broken off at the service', async (t) => {
  const codes: unknown[] = [];
  const { call, stage } = await setUp(t, (socket) => {
    socket.on('error', ({ code }: NodeJS.ErrnoException) => codes.push(code));
    socket.resume().write('hello');
  });
  const socket = await call();
  await once(socket, 'data');
  socket.resetAndDestroy();
  await until(() => codes.length > 0, 'the service to be told');
  t.deepEqual(codes, ['ECONNRESET']);
  t.is(stage.gate.counters()['visitors'], 0);
});

test('a gate that lets nobody in is told, and the local connection is reset', async (t) => {
  const stage = await GateStage.create(t, 1 as Port);
  const faults: string[] = [];
  const grant = { ...stage.grant(), admissionPort: 1 as Port };
  const local = await openLocalPort(grant, { onFault: ({ code }) => faults.push(code) });
  const socket = connect(local.endpoint.port, '127.0.0.1');
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNRESET');
  t.deepEqual(faults, ['connection']);
  await local.close();
});

test('closing waits until what was said has left, and for no answer', async (t) => {
  let letter = '';
  const { call, local } = await setUp(t, (socket) => {
    socket.on('data', (bytes) => (letter += String(bytes)));
  });
  const socket = await call();
  socket.end('x'.repeat(1_000_000));
  await local.close();
  await until(() => letter.length === 1_000_000, 'the letter to arrive');
  t.false(socket.readableEnded);
  socket.destroy();
});
