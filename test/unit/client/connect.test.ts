import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { connectGranted } from '../../../src/client/connect.ts';
import type { KnockGranted } from '../../../src/client/knock.ts';
import type { GrantId } from '../../../src/units/names.ts';
import { parseServiceName } from '../../../src/units/names.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import type { UnixMs } from '../../../src/units/time.ts';
import { address } from '../grants/plans.ts';
import { faultOf } from '../store/scratch.ts';
import { heard } from './heard.ts';

const loopback = address('127.0.0.1');

function grantFor(ports: readonly string[], changes: Partial<KnockGranted> = {}): KnockGranted {
  return {
    granted: true,
    mode: 'challenge-response',
    prefix: null,
    grant: '0123456789abcdef' as GrantId,
    service: parseServiceName('echo'),
    server: loopback,
    observed: { address: address('203.0.113.7'), port: 4711 },
    claimed: { address: loopback, port: 4711 },
    behindNat: true,
    elapsedMs: 1,
    admission: 'once',
    ports: ports.map(parseServicePort),
    admissionPort: null,
    expiresAt: 0 as UnixMs,
    sessionSecret: new Uint8Array(32),
    lease: null,
    ...changes,
  };
}

/** Serves on a free port; gives it and the connections that come. */
async function serve(t: ExecutionContext) {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection').then(([socket]) => socket as Socket);
  return { port, accepted, server };
}

test('connects to the address that granted, from the address that knocked', async (t) => {
  const { port, accepted } = await serve(t);
  const claimed = { address: address('127.0.0.5'), port: 1 };
  const socket = await connectGranted(grantFor([`tcp/${String(port)}`], { claimed }));
  const peer = await accepted;
  t.is(peer.remoteAddress, '127.0.0.5');
  socket.destroy();
  peer.destroy();
});

test('the end of one direction leaves the other open', async (t) => {
  const { port, accepted } = await serve(t);
  const socket = await connectGranted(grantFor([`tcp/${String(port)}`]));
  const peer = await accepted;
  peer.end('that is all');
  t.is((await heard(socket)).toString(), 'that is all');
  t.true(socket.writable);
  socket.end('thank you');
  t.is((await heard(peer)).toString(), 'thank you');
});

test('the first TCP port of a service is the one', async (t) => {
  const { port, accepted } = await serve(t);
  const socket = await connectGranted(grantFor(['udp/1', `tcp/${String(port)}`, 'tcp/3']));
  (await accepted).destroy();
  socket.destroy();
  t.pass();
});

test('a service without TCP cannot be connected to', async (t) => {
  t.is((await faultOf(() => connectGranted(grantFor(['udp/53'])))).code, 'usage');
});

test('a connection that is refused is told as one, with a hint', async (t) => {
  const { port, server } = await serve(t);
  server.close();
  await once(server, 'close');
  for (const admission of ['once', 'address'] as const) {
    const grant = grantFor([`tcp/${String(port)}`], { admission });
    const fault = await faultOf(() => connectGranted(grant));
    t.is(fault.code, 'connection');
    t.truthy(fault.hint);
  }
});
