import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { FramedStream } from '../admission/gate/framed-stream.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { formatEndpoint, type Port, type ServicePort } from '../units/network.ts';
import { beginTls, enterGate, requireProof } from './gate.ts';
import type { KnockGranted } from './knock.ts';

/** Longest wait for a connection that a grant lets in: three SYN (RFC 6298: 1 s, then doubled) and their answers. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The port of the grant that a TCP connection goes to. @throws {HknockError} `usage` when the service has none */
export function tcpPort({ ports, service }: KnockGranted): ServicePort {
  const tcp = ports.find(({ protocol }) => protocol === 'tcp');
  if (tcp !== undefined) return tcp;
  throw new HknockError('usage', `service '${service}' has no TCP port to connect to`, {
    hint: "use 'hknock connect HOST SERVICE -- COMMAND' to run a program that speaks UDP, or --listen with a gate",
  });
}

/**
 * Opens the connection that a grant lets in: to the address that granted it and from the address that knocked, since the grant is
 * for that one. With admission `gate` all that goes over it is encrypted and authenticated.
 * @throws {HknockError} `connection` when it cannot be had, `host` when this machine cannot make one as `bound` wants it
 */
export async function connectGranted(grant: KnockGranted): Promise<Duplex> {
  const service = tcpPort(grant);
  if (grant.admission === 'bound') {
    const { connectBound } = await import('./bound.ts');
    return connectBound(grant, { port: service.port, timeoutMs: CONNECT_TIMEOUT_MS });
  }
  if (grant.admission === 'gate') return new FramedStream(await passGate(grant, service));
  const port = grant.admissionPort ?? service.port;
  return established(connectTcp(way(grant, port)), 'connect', { grant, port });
}

/**
 * Goes through the gate to a port of the grant; what the connection carries then stands in gate.md, sections 4.2 and 4.3.
 * @throws {HknockError} `connection` when it cannot be had
 */
export async function passGate(grant: KnockGranted, service: ServicePort): Promise<TLSSocket> {
  const port = grant.admissionPort ?? service.port;
  const tls = beginTls(way(grant, port), grant.sessionSecret);
  await established(tls, 'secureConnect', { grant, port });
  requireProof(tls);
  enterGate(tls, service);
  return tls;
}

function way({ server, claimed }: KnockGranted, port: Port) {
  return {
    host: server,
    port,
    localAddress: claimed.address,
    allowHalfOpen: true,
    noDelay: true,
  };
}

interface Sought {
  readonly grant: KnockGranted;
  readonly port: number;
}

/** Waits for the event that says that a connection can be used. */
function established(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  { grant, port }: Sought,
): Promise<Socket> {
  const where = formatEndpoint({ address: grant.server, port });
  return new Promise((resolve, reject) => {
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
    socket.once(event, () => {
      socket.setTimeout(0);
      socket.removeAllListeners('error').removeAllListeners('timeout');
      resolve(socket);
    });
  });
}

function hintFor({ admission, observed: { address } }: KnockGranted): string {
  switch (admission) {
    case 'address':
      return 'the service may be down, or another firewall on the server stands before it';
    case 'port':
      return `the service may be down, somebody else at ${address} may have guessed at ports until the server shut them all, or connections leave your network from another address`;
    case 'gate':
      return 'another firewall on the server may stand before the gate, or connections leave your network from another address than knocks';
    default:
      return `the service may be down, somebody else at ${address} may have used the grant first, or connections leave your network from another address`;
  }
}
