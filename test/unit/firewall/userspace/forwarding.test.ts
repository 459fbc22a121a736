import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { createUserspace } from '../../../../src/firewall/userspace/userspace.ts';
import { FakeClock } from '../../../../src/host/fake-clock.ts';
import type { Firewall, ProtectedPort } from '../../../../src/host/firewall.ts';
import type { ServiceName } from '../../../../src/units/names.ts';
import type { IpAddress } from '../../../../src/units/network.ts';
import { until } from '../../../support/netns.ts';
import { localAgent } from '../agent.ts';
import { open, opening, tcp, transaction, udp } from '../bench.ts';
import { freePort } from '../../../support/free-port.ts';

const source = '127.0.0.1';

interface Setup {
  readonly firewall: Firewall;
  readonly clock: FakeClock;
  readonly port: number;
}

async function listening(t: ExecutionContext, serve: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    serve(socket.on('error', () => undefined));
  });
  t.teardown(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function setUp(t: ExecutionContext, upstreamPort: number): Promise<Setup> {
  const clock = new FakeClock();
  const port = await freePort();
  const firewall = createUserspace({ clock, listen: ['127.0.0.1' as IpAddress] });
  t.teardown(() => firewall.stop('open'));
  await firewall.start([tcp(port), udp(port)].map((each) => leading(each, upstreamPort)));
  return { firewall, clock, port };
}

function leading(port: ProtectedPort['port'], upstreamPort: number): ProtectedPort {
  const upstream = { address: '127.0.0.1' as IpAddress, port: upstreamPort };
  return { service: 'echo' as ServiceName, port, upstream };
}

async function visit(port: number, options: { allowHalfOpen?: boolean } = {}): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', ...options });
  await once(socket, 'connect');
  return socket;
}

async function codeOfConnect(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? '');
    });
    socket.once('close', () => {
      resolve('closed');
    });
  });
}

test('a client that half-closes gets the rest of the answer, and so the other way', async (t) => {
  const upstream = await listening(t, (socket) => {
    let heard = '';
    socket.on('data', (bytes: Buffer) => (heard += bytes.toString()));
    socket.once('end', () => {
      setTimeout(() => socket.end(`heard ${heard}`), 50);
    });
  });
  const { firewall, port } = await setUp(t, upstream);
  await open(firewall, opening(source, [tcp(port)]));
  const socket = await visit(port, { allowHalfOpen: true });
  socket.end('question');
  const answer = (await socket.setEncoding('utf8').toArray()) as string[];
  t.is(answer.join(''), 'heard question');
});

test('a slow reader stops the service, and loses nothing', async (t) => {
  const total = 64 * 1024 * 1024;
  let written = 0;
  const upstream = await listening(t, (socket) => {
    const chunk = Buffer.alloc(1024 * 1024, 1);
    const more = (): void => {
      while (written < total) {
        written += chunk.length;
        if (!socket.write(chunk)) {
          socket.once('drain', more);
          return;
        }
      }
      socket.end();
    };
    more();
  });
  const { firewall, port } = await setUp(t, upstream);
  await open(firewall, opening(source, [tcp(port)]));
  const socket = await visit(port);
  socket.pause();
  await sleep(300);
  t.true(written < total, `${String(written)} bytes are underway`);
  let read = 0;
  for await (const chunk of socket) read += (chunk as Buffer).length;
  t.is(read, total);
});

test('a service that breaks off breaks the client off', async (t) => {
  const upstream = await listening(t, (socket) => {
    socket.once('data', () => socket.resetAndDestroy());
  });
  const { firewall, port } = await setUp(t, upstream);
  await open(firewall, opening(source, [tcp(port)]));
  const socket = await visit(port);
  socket.write('x');
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNRESET');
});

test('a client that breaks off breaks the service off', async (t) => {
  let serviceSide: Socket | null = null;
  const upstream = await listening(t, (socket) => {
    serviceSide = socket.resume();
  });
  const { firewall, port } = await setUp(t, upstream);
  await open(firewall, opening(source, [tcp(port)]));
  const socket = await visit(port);
  socket.write('x');
  await sleep(50);
  socket.resetAndDestroy();
  await until(() => serviceSide?.destroyed === true, 'the service to be told');
  t.pass();
});

test('a service that is down: the client is reset', async (t) => {
  const { firewall, port } = await setUp(t, await freePort());
  await open(firewall, opening(source, [tcp(port)]));
  t.is(await codeOfConnect(port), 'ECONNRESET');
});

test('the port is bound only while somebody has a grant', async (t) => {
  const upstream = await listening(t, (socket) => socket.pipe(socket));
  const { firewall, clock, port } = await setUp(t, upstream);
  t.is(await codeOfConnect(port), 'ECONNREFUSED');
  await open(firewall, opening('192.0.2.1', [tcp(port)], { lifetimeMs: 30_000 }));
  t.is(await codeOfConnect(port), 'ECONNRESET');
  clock.advance(29_999);
  t.is(await codeOfConnect(port), 'ECONNRESET');
  clock.advance(1);
  await Promise.resolve();
  t.is(await codeOfConnect(port), 'ECONNREFUSED');
});

test('a port that is taken is told at the start, and nothing is bound then', async (t) => {
  const taken = await listening(t, () => undefined);
  const free = await freePort();
  const firewall = createUserspace({ clock: new FakeClock(), listen: ['127.0.0.1' as IpAddress] });
  const ports = [tcp(free), tcp(taken)].map((port) => leading(port, 9));
  await t.throwsAsync(firewall.start(ports), { code: 'bind' });
  t.is(await codeOfConnect(free), 'ECONNREFUSED');
});

test('an address that is not ours is told at the start', async (t) => {
  const firewall = createUserspace({ clock: new FakeClock(), listen: ['192.0.2.1' as IpAddress] });
  const port = tcp(await freePort());
  await t.throwsAsync(firewall.start([leading(port, 9)]), { code: 'bind' });
});

test('a service without an upstream is told at the start', async (t) => {
  const firewall = createUserspace({ clock: new FakeClock(), listen: ['127.0.0.1' as IpAddress] });
  const port: ProtectedPort = { ...leading(tcp(await freePort()), 9), upstream: null };
  await t.throwsAsync(firewall.start([port]), { code: 'config' });
});

test('a port that is taken when somebody knocks fails that grant', async (t) => {
  const { firewall, port } = await setUp(t, 9);
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const granted = opening(source, [tcp(port)]);
  const failures = await firewall.apply(transaction({ opens: [granted] }));
  t.is(failures.get(granted.grant)?.code, 'firewall');
});

test.serial('a datagram with the forged source port 0 begins no flow', async (t) => {
  const sockets: DatagramSocket[] = [];
  const note = (message: unknown): number =>
    sockets.push((message as { socket: DatagramSocket }).socket);
  const service = createSocket('udp4');
  service.bind(0, source);
  await once(service, 'listening');
  t.teardown(() => service.close());
  const heard: string[] = [];
  service.on('message', (bytes, { port }) => {
    heard.push(bytes.toString());
    service.send(bytes, port, source);
  });
  const { firewall, port } = await setUp(t, service.address().port);
  subscribe('udp.socket', note);
  t.teardown(() => unsubscribe('udp.socket', note));
  await open(firewall, opening(source, [udp(port)]));
  const [door] = sockets;
  // no program can send from port 0 without a raw socket, so the door's own socket is made to say that one has
  const forged = { address: source, family: 'IPv4', port: 0, size: 6 };
  door?.emit('message', Buffer.from('forged'), forged);
  const target = { source, sourcePort: await freePort(), address: source, port, waitMs: 3000 };
  t.is(await localAgent.udp('', target), 'echoed');
  t.is(heard.length, 1);
  t.not(door, undefined);
});

test('a UDP flow ends after a minute of silence, not before', async (t) => {
  const upstream = await localAgent.serve({ address: '127.0.0.1', port: 0 });
  const { firewall, clock, port } = await setUp(t, upstream);
  await open(firewall, opening(source, [udp(port)], { admission: 'once', lifetimeMs: 1000 }));
  const target = { source, sourcePort: await freePort(), address: source, port, waitMs: 3000 };
  t.is(await localAgent.udp('', target), 'echoed');
  clock.advance(40_000);
  t.is(await localAgent.udp('', target), 'echoed');
  clock.advance(59_999);
  t.is(await localAgent.udp('', target), 'echoed');
  clock.advance(60_000);
  t.is(await localAgent.udp('', target), 'refused');
});
