// Makes connections and serves them, as told by lines of JSON on standard input: run in a namespace by `agentIn`, or
// used in this process as `localAgent`.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, isIPv6, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { systemCode } from '../../../src/errors/system-code.ts';
import { connectSequenced } from '../../../src/system/sequenced-socket.ts';
import type { IpAddress } from '../../../src/units/network.ts';

export interface Target {
  readonly source: string;
  readonly address: string;
  readonly port: number;
  /** How long to wait for an answer. */
  readonly waitMs: number;
  readonly sourcePort?: number;
  /** Of a SYN. */
  readonly sequence?: number;
  /** So many other SYNs go out just before that one. */
  readonly behind?: number;
}

export type Result = 'echoed' | 'silent' | 'refused' | 'closed';

export interface Agent {
  /** Echoes what comes by TCP and UDP; with `chatter` the TCP side also speaks by itself, every 20 ms. Gives the port. */
  serve(at: { address: string; port: number; chatter?: boolean }): Promise<number>;
  /** Connects, says something and waits for the echo; the connection stays under `name`. */
  tcp(name: string, target: Target): Promise<Result>;
  /** Says something more on a connection and waits for the echo. */
  say(name: string, waitMs: number): Promise<Result>;
  udp(name: string, target: Target): Promise<Result>;
  close(name: string): Promise<void>;
}

class LocalAgent implements Agent {
  readonly #sockets = new Map<string, Socket>();
  #word = 0;

  async serve({ address, port, chatter = false }: Parameters<Agent['serve']>[0]): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).pipe(socket);
      if (!chatter) return;
      const timer = setInterval(() => socket.write('.'), 20);
      socket.once('close', () => {
        clearInterval(timer);
      });
    });
    server.listen({ host: address, port, ipv6Only: isIPv6(address) }).unref();
    await once(server, 'listening');
    const bound = server.address();
    const tcpPort = typeof bound === 'object' && bound !== null ? bound.port : port;
    const udp = createSocket({
      type: isIPv6(address) ? 'udp6' : 'udp4',
      ipv6Only: isIPv6(address),
    });
    udp.on('message', (bytes, remote) => {
      udp.send(bytes, remote.port, remote.address);
    });
    udp.bind(tcpPort, address).unref();
    await once(udp, 'listening');
    return tcpPort;
  }

  async tcp(name: string, target: Target): Promise<Result> {
    const { source, address, port, waitMs, sourcePort, sequence } = target;
    if (sequence !== undefined) return this.#sequenced(name, { ...target, sequence });
    const socket = connect({
      host: address,
      port,
      localAddress: source,
      ...(sourcePort === undefined ? {} : { localPort: sourcePort }),
    });
    socket.on('error', () => undefined);
    this.#sockets.set(name, socket);
    const end = performance.now() + waitMs;
    const connected = await first(
      waitMs,
      [socket, 'connect', 'echoed'],
      [socket, 'close', 'refused'],
    );
    if (connected === 'echoed') return this.say(name, end - performance.now());
    socket.destroy();
    return connected;
  }

  async #sequenced(
    name: string,
    { source, address, port, waitMs, sequence, behind = 0 }: Target & { readonly sequence: number },
  ): Promise<Result> {
    for (let i = 0; i < behind; i++) {
      const other = connect({ host: address, port, localAddress: source });
      other.on('error', () => undefined);
      setTimeout(() => other.destroy(), waitMs);
    }
    try {
      const socket = await connectSequenced({
        remote: { address: address as IpAddress, port },
        local: { address: source as IpAddress, port: 0 },
        sequence,
        timeoutMs: waitMs,
      });
      this.#sockets.set(
        name,
        socket.on('error', () => undefined),
      );
      return await this.say(name, waitMs);
    } catch (fault) {
      return systemCode(fault) === 'ETIMEDOUT' ? 'silent' : 'refused';
    }
  }

  async say(name: string, waitMs: number): Promise<Result> {
    const socket = this.#sockets.get(name);
    if (socket === undefined || socket.destroyed) return 'closed';
    const word = `word ${String(++this.#word)};`;
    socket.write(word);
    const end = performance.now() + waitMs;
    let heard = '';
    const hear = (bytes: Buffer): void => {
      heard += bytes.toString().replaceAll('.', '');
    };
    socket.on('data', hear);
    try {
      while (!heard.includes(word)) {
        const leftMs = end - performance.now();
        const result = await first(leftMs, [socket, 'data', 'echoed'], [socket, 'close', 'closed']);
        if (result !== 'echoed') return result;
      }
      return 'echoed';
    } finally {
      socket.off('data', hear);
    }
  }

  async udp(_name: string, { source, address, port, waitMs, sourcePort }: Target): Promise<Result> {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.on('error', () => undefined);
    socket.bind(sourcePort ?? 0, source);
    await once(socket, 'listening');
    // connected, so that the kernel tells of a port unreachable
    await new Promise<void>((resolve) => {
      socket.connect(port, address, () => {
        resolve();
      });
    });
    socket.send('word');
    const result = await first(waitMs, [socket, 'message', 'echoed'], [socket, 'error', 'refused']);
    socket.close();
    return result;
  }

  close(name: string): Promise<void> {
    this.#sockets.get(name)?.destroy();
    this.#sockets.delete(name);
    return Promise.resolve();
  }
}

export const localAgent: Agent = new LocalAgent();

interface Emitter {
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

/** The result of whichever event comes first, or `silent`. */
function first(
  waitMs: number,
  ...events: readonly (readonly [Emitter, string, Result])[]
): Promise<Result> {
  return new Promise((resolve) => {
    const listeners: (() => void)[] = [];
    const settle = (result: Result): void => {
      clearTimeout(timer);
      events.forEach(([emitter, event], at) => {
        emitter.off(event, listeners[at] ?? settle.bind(null, result));
      });
      resolve(result);
    };
    const timer = setTimeout(settle, Math.max(waitMs, 0), 'silent');
    for (const [emitter, event, result] of events) {
      const listener = (): void => {
        settle(result);
      };
      listeners.push(listener);
      emitter.once(event, listener);
    }
  });
}

interface Order {
  readonly id: number;
  readonly method: keyof Agent;
  readonly args: readonly unknown[];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  createInterface(process.stdin)
    .on('line', (line) => {
      const { id, method, args } = JSON.parse(line) as Order;
      const call = localAgent[method].bind(localAgent) as (
        ...args: readonly unknown[]
      ) => Promise<unknown>;
      void call(...args).then(
        (result) => process.stdout.write(`${JSON.stringify({ id, result })}\n`),
        (error: unknown) =>
          process.stdout.write(`${JSON.stringify({ id, error: String(error) })}\n`),
      );
    })
    .on('close', () => process.exit());
}
