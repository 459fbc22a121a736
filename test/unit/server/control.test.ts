import { request } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { chmod, lstat, stat, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { errorCodes, HknockError } from '../../../src/errors/hknock-error.ts';
import { serveControl } from '../../../src/server/control.ts';
import { askServer, type ControlRequest } from '../../../src/server/control-client.ts';
import type { ServerStatus } from '../../../src/server/server-status.ts';
import { faultOf, scratch } from '../store/scratch.ts';

type Controlled = Awaited<Parameters<typeof serveControl>[1]>;

const id = '0123456789abcdef';

/** A server that only notes what it is asked to do. */
function fakeServer(changes: Partial<Controlled> = {}) {
  const calls: unknown[] = [];
  const server: Controlled = {
    status: () => ({ peers: 3 }) as ServerStatus,
    grants: () => [],
    closeGrant: (...args) => {
      calls.push(['closeGrant', ...args]);
      return Promise.resolve(args[0] === id);
    },
    closePeer: (...args) => {
      calls.push(['closePeer', ...args]);
      return Promise.resolve(2);
    },
    reload: () => {
      calls.push(['reload']);
      return Promise.resolve();
    },
    ...changes,
  };
  return { server, calls };
}

async function serve(t: ExecutionContext, changes: Partial<Controlled> = {}) {
  const path = join(await scratch(t), 'control.sock');
  const { server, calls } = fakeServer(changes);
  const close = await serveControl(path, server);
  t.teardown(close);
  const ask = (method: ControlRequest['method'], target: string): Promise<unknown> =>
    askServer(path, { method, path: target });
  return { path, ask, calls, close };
}

test('answers what is asked', async (t) => {
  const { ask, calls } = await serve(t);
  t.deepEqual(await ask('GET', '/status'), { peers: 3 });
  t.deepEqual(await ask('GET', '/grants'), []);
  t.deepEqual(await ask('POST', '/reload'), {});
  t.deepEqual(await ask('DELETE', `/grants/${id}`), { closed: 1 });
  t.deepEqual(await ask('DELETE', '/peers/alice%40home/grants?cut=true'), { closed: 2 });
  t.deepEqual(calls, [
    ['reload'],
    ['closeGrant', id, { cut: false }],
    ['closePeer', 'alice@home', { cut: true }],
  ]);
});

test('whoever asks before the server runs waits for it', async (t) => {
  const path = join(await scratch(t), 'control.sock');
  let begin: (server: Controlled) => void = () => undefined;
  const begun = new Promise<Controlled>((resolve) => (begin = resolve));
  t.teardown(await serveControl(path, begun));
  const answer = askServer(path, { method: 'GET', path: '/status' });
  begin(fakeServer().server);
  t.deepEqual(await answer, { peers: 3 });
});

test('knows no other thing, and does nothing then', async (t) => {
  const { ask, calls } = await serve(t);
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/peers'],
    ['GET', `/grants/${id}`],
    ['POST', '/status'],
    ['DELETE', '/grants'],
    ['DELETE', '/grants/zz'],
    ['DELETE', '/peers/a/b/grants'],
    ['DELETE', '/status'],
    ['POST', `/grants/${id}`],
  ] as const) {
    t.is(await ask(method, path), null, `${method} ${path}`);
  }
  t.deepEqual(calls, []);
});

test('a grant that is not there is nothing, not an error', async (t) => {
  const { ask } = await serve(t);
  t.is(await ask('DELETE', '/grants/ffffffffffffffff'), null);
});

test('a fault of the server reaches whoever asked, with its code and hint', async (t) => {
  const reload = (): Promise<void> =>
    Promise.reject(new HknockError('config', 'hknock.toml:3: nonsense', { hint: 'mend it' }));
  const { ask } = await serve(t, { reload });
  const fault = await faultOf(() => ask('POST', '/reload'));
  t.like(fault, { code: 'config', message: 'hknock.toml:3: nonsense', hint: 'mend it' });
});

test('every code of a fault comes through', async (t) => {
  for (const code of errorCodes) {
    const { ask } = await serve(t, {
      status: () => {
        throw new HknockError(code, 'such is life');
      },
    });
    t.is((await faultOf(() => ask('GET', '/status'))).code, code);
  }
});

for (const [what, serveIt, code] of [
  ['breaks off', (socket: Socket) => void socket.destroy(), 'host'],
  ['is silent', (socket: Socket) => void socket.resume(), 'host'],
  [
    'is no server of ours',
    (socket: Socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi!'),
    'protocol',
  ],
] as const) {
  test(`what ${what} is not taken for nobody there`, async (t) => {
    const path = join(await scratch(t), 'control.sock');
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
      serveIt(socket);
    }).listen(path);
    t.teardown(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    await once(server, 'listening');
    // only what never answers is waited for until the time is over
    const timeoutMs = code === 'host' ? 100 : 10_000;
    const status = { method: 'GET', path: '/status' } as const;
    const fault = await faultOf(() => askServer(path, status, timeoutMs));
    t.is(fault.code, code);
  });
}

test('a bug of the server is told as one and does not end it', async (t) => {
  const { ask } = await serve(t, {
    grants: () => {
      throw new TypeError('x is undefined');
    },
  });
  const fault: unknown = await t.throwsAsync(() => ask('GET', '/grants'));
  t.false(fault instanceof HknockError);
  t.deepEqual(await ask('GET', '/status'), { peers: 3 });
});

test('what is not HTTP does not end it', async (t) => {
  const { path, ask } = await serve(t);
  const { connect } = await import('node:net');
  const socket = connect(path);
  socket.end('\u0000\u0001 nonsense\r\n\r\n');
  socket.resume();
  await once(socket, 'close');
  t.deepEqual(await ask('GET', '/status'), { peers: 3 });
});

test('only its owner may open the socket', async (t) => {
  const { path } = await serve(t);
  t.is((await stat(path)).mode & 0o777, 0o600);
});

test('closing takes the socket away, also with somebody connected', async (t) => {
  const { path, close } = await serve(t);
  const idle = request({ socketPath: path, path: '/status' });
  idle.on('error', () => undefined);
  idle.flushHeaders();
  await once(idle, 'socket');
  await close();
  await t.throwsAsync(lstat(path), { code: 'ENOENT' });
  t.is(
    (await faultOf(() => askServer(path, { method: 'GET', path: '/status' }))).code,
    'no-answer',
  );
});

test('what a killed server left is taken away', async (t) => {
  const path = join(await scratch(t), 'control.sock');
  const dead = createServer().listen(path);
  await once(dead, 'listening');
  const closed = once(dead, 'close');
  // as the kernel leaves it: the name stays, nobody listens
  const { renameSync } = await import('node:fs');
  renameSync(path, `${path}.kept`);
  dead.close();
  await closed;
  renameSync(`${path}.kept`, path);
  t.true((await lstat(path)).isSocket());
  const close = await serveControl(path, fakeServer().server);
  t.deepEqual(await askServer(path, { method: 'GET', path: '/status' }), { peers: 3 });
  await close();
});

test('the socket of a running server is left alone', async (t) => {
  const { path, ask } = await serve(t);
  t.is((await faultOf(() => serveControl(path, fakeServer().server))).code, 'bind');
  t.deepEqual(await ask('GET', '/status'), { peers: 3 });
});

test('a file of that name is left alone', async (t) => {
  const path = join(await scratch(t), 'control.sock');
  await writeFile(path, 'precious');
  await chmod(path, 0o600);
  t.is((await faultOf(() => serveControl(path, fakeServer().server))).code, 'bind');
  t.true((await lstat(path)).isFile());
});

test('a folder that is not there is a fault with a hint', async (t) => {
  const path = join(await scratch(t), 'nowhere', 'control.sock');
  const fault = await faultOf(() => serveControl(path, fakeServer().server));
  t.is(fault.code, 'bind');
  t.truthy(fault.hint);
});
