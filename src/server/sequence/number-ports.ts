import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { HknockError } from '../../errors/hknock-error.ts';
import { systemCode } from '../../errors/system-code.ts';
import type { Scheme } from '../../sequence/scheme.ts';
import type { Port } from '../../units/network.ts';

/** Who asks is told at once and has nothing to say: more than these at a time, or for longer, are no clients. */
const MAX_CONNECTIONS = 64;
const PATIENCE_MS = 2000;

/** TCP ports on which anybody who connects is told which sequence of a scheme is next. */
export class NumberPorts {
  readonly #servers: readonly Server[];

  /**
   * @param schemes those that are in force when somebody asks
   * @throws {HknockError} `bind`; no port is open then
   */
  static async open(schemes: () => readonly Scheme[]): Promise<NumberPorts> {
    const servers: Server[] = [];
    try {
      for (const { name, numbers } of schemes()) {
        if (numbers === undefined) continue;
        const tell = (): string =>
          schemes()
            .find((each) => each.name === name)
            ?.numbers?.tell() ?? '';
        servers.push(await listen(numbers.port, tell));
      }
    } catch (fault) {
      for (const each of servers) each.close();
      throw fault;
    }
    return new NumberPorts(servers);
  }

  private constructor(servers: readonly Server[]) {
    this.#servers = servers;
  }

  close(): void {
    for (const each of this.#servers) each.close();
  }
}

async function listen(port: Port, tell: () => string): Promise<Server> {
  const server = createServer((socket) => {
    answer(socket, tell());
  });
  server.maxConnections = MAX_CONNECTIONS;
  try {
    // IPv4 as well, and where there is no IPv6 IPv4 alone
    server.listen({ port });
    await once(server, 'listening');
  } catch (cause) {
    const why = systemCode(cause) ?? 'unknown';
    throw new HknockError('bind', `the number port tcp/${String(port)} cannot be had: ${why}`, {
      hint: "choose another 'number_port' in the scheme's file, or stop what has this one",
      cause,
    });
  }
  // later faults, such as no file descriptors left, concern one connection
  server.on('error', () => undefined);
  return server;
}

function answer(socket: Socket, text: string): void {
  socket.on('error', () => undefined).setTimeout(PATIENCE_MS, () => socket.destroy());
  socket.resume().end(text);
}
