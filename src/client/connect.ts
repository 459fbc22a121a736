import { connect as connectTcp, type Socket } from 'node:net';
import { HknockError } from '../errors/hknock-error.ts';
import { formatEndpoint, type Port } from '../units/network.ts';
import type { KnockGranted } from './knock.ts';

/** Longest wait for a connection that a grant lets in: three SYN (RFC 6298: 1 s, then doubled) and their answers. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The port of the grant that a TCP connection goes to. @throws {HknockError} `usage` when the service has none */
function tcpPort({ ports, service }: KnockGranted): Port {
  const tcp = ports.find(({ protocol }) => protocol === 'tcp');
  if (tcp !== undefined) return tcp.port;
  throw new HknockError('usage', `service '${service}' has no TCP port to connect to`, {
    hint: "use 'hknock connect HOST SERVICE -- COMMAND' to run a program that speaks UDP",
  });
}

/**
 * Opens the TCP connection that a grant lets in: to the address that granted it and from the address that knocked, since the grant is for that one.
 * @throws {HknockError} `connection` when it cannot be had
 */
export function connectGranted(grant: KnockGranted): Promise<Socket> {
  const port = tcpPort(grant);
  const where = formatEndpoint({ address: grant.server, port });
  return new Promise((resolve, reject) => {
    const socket = connectTcp({
      host: grant.server,
      port,
      localAddress: grant.claimed.address,
      allowHalfOpen: true,
      noDelay: true,
    });
    const fail = (message: string, cause?: Error): void => {
      socket.destroy();
      const hint = hintFor(grant);
      reject(new HknockError('connection', message, cause ? { hint, cause } : { hint }));
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
      fail(`granted, but ${where} did not take the connection`);
    });
    socket.once('error', (cause) => {
      fail(`granted, but the connection to ${where} failed: ${cause.message}`, cause);
    });
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('error').removeAllListeners('timeout');
      resolve(socket);
    });
  });
}

function hintFor({ admission, observed }: KnockGranted): string {
  return admission === 'address'
    ? 'the service may be down, or another firewall on the server stands before it'
    : `the service may be down, somebody else at ${observed.address} may have used the grant first, or connections leave your network from another address`;
}
