import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IpAddress, Port } from '../units/network.ts';

/** The server needs time to open; this much on a good day. */
const FIRST_WAIT_MS = 5;
const WAIT_GROWTH = 3;

export interface WhenOpenOptions {
  readonly server: IpAddress;
  readonly port: Port;
  /** Null: the system's choice. */
  readonly localAddress: IpAddress | null;
  readonly timeoutMs: number;
}

/**
 * Connects to a port that opens about now; null when it does not in time. Tries again and again, ever later, and gives no try up
 * before the end: a grant may be for the first connection only, and whichever try has that one must be able to have it.
 */
export async function connectWhenOpen(options: WhenOpenOptions): Promise<Socket | null> {
  const endsAt = performance.now() + options.timeoutMs;
  const over = new AbortController();
  const tries: Socket[] = [];
  const open: Socket[] = [];
  const wait = (ms: number): Promise<void> => sleep(ms, undefined, over).catch(() => undefined);
  let waitMs = FIRST_WAIT_MS;
  for (let leftMs = options.timeoutMs; leftMs > waitMs; leftMs = endsAt - performance.now()) {
    await wait(waitMs);
    if (open.length > 0) break;
    const socket = begin(options, () => {
      open.push(socket);
      over.abort();
    });
    tries.push(socket);
    waitMs *= WAIT_GROWTH;
  }
  if (open.length === 0) await wait(Math.max(0, endsAt - performance.now()));
  const [first = null] = open;
  for (const each of tries) if (each !== first) each.on('error', () => undefined).destroy();
  return first;
}

function begin(options: WhenOpenOptions, onOpen: () => void): Socket {
  const { server: host, port, localAddress } = options;
  const from = localAddress && { localAddress };
  const socket = connect({ host, port, ...from, allowHalfOpen: true, noDelay: true });
  // shut still, or for good: the time tells
  socket.on('error', () => undefined);
  return socket.once('connect', () => {
    socket.removeAllListeners('error');
    onOpen();
  });
}
