import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { joinConnections } from '../admission/join-connections.ts';
import type { HknockError } from '../errors/hknock-error.ts';
import type { Clock } from '../host/clock.ts';
import { createSystemClock } from '../system/clock.ts';
import type { Endpoint, IpAddress } from '../units/network.ts';
import { connectGranted, tcpPort } from './connect.ts';
import type { KnockGranted } from './knock.ts';

/** How long what has been said may take to get to the server when nobody is left who would hear an answer. */
const LINGER_MS = 5000;

const loopback = '127.0.0.1' as IpAddress;

/** A TCP port of this machine that leads to where a grant does. */
export interface LocalPort {
  readonly endpoint: Endpoint;
  /** Ends it, once what has been said has left. */
  readonly close: () => Promise<void>;
}

export interface LocalPortOptions {
  readonly clock?: Clock;
  /** Told when the connection that the grant lets in cannot be had. */
  readonly onFault: (fault: HknockError) => void;
}

/**
 * Opens a local TCP port for programs that cannot make the connection of `bound` or `gate` themselves. The first connection to it becomes the
 * one that the grant lets in, begun then; there is no second. Any user of this machine can be that first.
 * @throws {HknockError} `usage` when the service has no TCP port
 */
export async function openLocalPort(
  grant: KnockGranted,
  { clock = createSystemClock(), onFault }: LocalPortOptions,
): Promise<LocalPort> {
  tcpPort(grant);
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  await once(server.listen(0, loopback), 'listening');
  const { port } = server.address() as AddressInfo;
  let joined: Promise<Duplex | null> = Promise.resolve(null);
  server.on('connection', (local) => {
    if (server.listening) joined = lead(local, grant, onFault);
    else local.resetAndDestroy();
    server.close();
  });
  const close = async (): Promise<void> => {
    // a connection that came before is accepted in this turn of the loop
    await setImmediate();
    server.close();
    const remote = await joined;
    if (remote === null) return;
    const timer = clock.after(LINGER_MS, () => remote.destroy());
    await finished(remote, { readable: false }).catch(() => undefined);
    timer.cancel();
    remote.destroy();
  };
  return { endpoint: { address: loopback, port }, close };
}

/** Gives the connection that the local one has been joined to; null when there is none. */
async function lead(
  local: Socket,
  grant: KnockGranted,
  onFault: LocalPortOptions['onFault'],
): Promise<Duplex | null> {
  local.on('error', () => undefined); // 'close' tells of the same end
  try {
    const remote = await connectGranted(grant);
    joinConnections(local, remote);
    if (local.destroyed) remote.destroy();
    return remote;
  } catch (fault) {
    local.resetAndDestroy();
    onFault(fault as HknockError);
    return null;
  }
}
