import { chmod, lstat, rm } from 'node:fs/promises';
import { createServer, type Server as HttpServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { HknockError } from '../errors/hknock-error.ts';
import type { GrantId, PeerName } from '../units/names.ts';
import type { Server } from './server.ts';

/** What control requests act on. */
type Controlled = Pick<Server, 'status' | 'grants' | 'closeGrant' | 'closePeer' | 'reload'>;

/** Closes the control socket. */
export type CloseControl = () => Promise<void>;

/**
 * Serves the control socket: HTTP and JSON on a UNIX socket that only its owner may open, so that `curl --unix-socket` will do.
 *
 *     GET    /status
 *     GET    /grants
 *     DELETE /grants/ID?cut=true
 *     DELETE /peers/NAME/grants?cut=true
 *     POST   /reload
 *
 * @param server whoever asks before it runs waits for it
 * @throws {HknockError} `bind` when another server has the socket, or it cannot be made
 */
export async function serveControl(
  path: string,
  server: Controlled | Promise<Controlled>,
): Promise<CloseControl> {
  await requireAlone(path);
  const http = createServer((request, response) => {
    void answer(server, `${request.method ?? ''} ${request.url ?? ''}`, response);
  });
  await listen(http, path);
  // the folder is the owner's alone already; this also holds where the socket was put elsewhere
  await chmod(path, 0o600);
  return async () => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
    await rm(path, { force: true });
  };
}

async function answer(
  server: Controlled | Promise<Controlled>,
  line: string,
  response: ServerResponse,
): Promise<void> {
  let status = 200;
  let body: unknown;
  try {
    body = await act(await server, line);
    if (body === null) status = 404;
  } catch (fault) {
    status = 500;
    const { code, message, hint } =
      fault instanceof HknockError ? fault : { code: 'bug', message: String(fault), hint: null };
    body = { code, message, hint };
  }
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify(body));
}

/** The result, or null when there is no such thing. */
async function act(server: Controlled, line: string): Promise<unknown> {
  const [method, target = ''] = line.split(' ');
  const { pathname, searchParams } = new URL(target, 'http://control');
  const options = { cut: searchParams.get('cut') === 'true' };
  const [, id] = /^\/grants\/([0-9a-f]{16})$/.exec(pathname) ?? [];
  const [, peer] = /^\/peers\/([^/]+)\/grants$/.exec(pathname) ?? [];
  switch (`${method ?? ''} ${pathname}`) {
    case 'GET /status':
      return server.status();
    case 'GET /grants':
      return server.grants();
    case 'POST /reload':
      await server.reload();
      return {};
  }
  if (method !== 'DELETE') return null;
  if (id !== undefined)
    return (await server.closeGrant(id as GrantId, options)) ? { closed: 1 } : null;
  if (peer === undefined) return null;
  return { closed: await server.closePeer(decodeURIComponent(peer) as PeerName, options) };
}

function listen(http: HttpServer, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', (cause) => {
      const hint = 'check that its folder exists and is yours, or set [control] path';
      reject(new HknockError('bind', `cannot make the control socket ${path}`, { hint, cause }));
    });
    http.listen(path, resolve);
  });
}

/**
 * Makes sure that no server runs at a control socket; takes away what one that was killed has left.
 * @throws {HknockError} `bind` when another server has the socket, or something else stands there
 */
async function requireAlone(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket()) {
    throw new HknockError('bind', `${path} is there and is no socket`, {
      hint: 'move it away, or set another [control] path',
    });
  }
  const isServed = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => {
      resolve(false);
    });
  });
  if (isServed) {
    throw new HknockError('bind', `another hknock serves ${path}`, {
      hint: "stop it first, or see 'hknock status'",
    });
  }
  await rm(path, { force: true });
}
