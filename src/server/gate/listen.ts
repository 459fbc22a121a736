import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { familyOf } from '../../bytes/address.ts';
import { HknockError } from '../../errors/hknock-error.ts';
import { systemCode } from '../../errors/system-code.ts';
import { type Endpoint, formatEndpoint } from '../../units/network.ts';

/**
 * Listens for TCP connections on every endpoint, or on none. Leaves out IPv6 where the system has none.
 * @throws {HknockError} `bind`
 */
export async function listenAll(
  endpoints: readonly Endpoint[],
  meet: (socket: Socket) => void,
): Promise<readonly Server[]> {
  const servers: Server[] = [];
  for (const endpoint of endpoints) {
    try {
      servers.push(await listen(endpoint, meet));
    } catch (cause) {
      if (familyOf(endpoint.address) === 6 && systemCode(cause) === 'EAFNOSUPPORT') continue;
      for (const each of servers) each.close();
      throw fault(endpoint, cause);
    }
  }
  return servers;
}

async function listen(
  { address, port }: Endpoint,
  meet: (socket: Socket) => void,
): Promise<Server> {
  // a client may say all it has to say before it is answered
  const server = createServer({ allowHalfOpen: true, noDelay: true }, meet);
  server.listen({ host: address, port, ipv6Only: familyOf(address) === 6 });
  await once(server, 'listening');
  // later faults, such as no file descriptors left, concern one connection and not the gate
  server.on('error', () => undefined);
  return server;
}

function fault(endpoint: Endpoint, cause: unknown): HknockError {
  const place = formatEndpoint(endpoint);
  return new HknockError(
    'bind',
    `the gate cannot have tcp ${place}: ${String(systemCode(cause))}`,
    {
      hint: "choose another port for 'listen' under [gate], or stop what has this one",
      cause,
    },
  );
}
