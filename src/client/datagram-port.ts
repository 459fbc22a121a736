import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import type { FlowDatagram } from '../admission/gate/datagram-frames.ts';
import { DatagramTunnel } from '../admission/gate/datagram-tunnel.ts';
import { familyOf, parseAddress } from '../bytes/address.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';
import {
  type Endpoint,
  formatEndpoint,
  type IpAddress,
  type ServicePort,
} from '../units/network.ts';
import { passGate } from './connect.ts';
import type { KnockGranted } from './knock.ts';
import { Senders } from './senders.ts';

/** Bytes that may wait for the system to take them; more are dropped. */
const MAX_QUEUED_LENGTH = 256 * 1024;

/** After this much silence the system asks whether the gate still is there, which keeps a NAT from forgetting us. */
const KEEP_ALIVE_MS = 60_000;

const loopback = '127.0.0.1' as IpAddress;

/** A port of this machine alone, whichever is free. */
export const anyLocalPort: Endpoint = { address: loopback, port: 0 };

/** A local UDP port whose datagrams go through the gate. */
export interface DatagramPort {
  readonly endpoint: Endpoint;
  /** Resolves when it has been closed from either side. Rejects with an `HknockError`, `connection`, when the connection broke off. */
  readonly closed: Promise<void>;
  /** Safe to call twice. */
  close(): void;
}

/**
 * Opens a local UDP port; what anybody sends to it goes through the gate to the one UDP port of the grant, and the answers come back to
 * whoever asked (gate.md, section 4.3). Any user of this machine can send to it.
 * @param local port 0 for any that is free
 * @throws {HknockError} `usage` when the service has not exactly one UDP port, `bind` when the local port cannot be had,
 * `connection` when the gate cannot be reached
 */
export async function openDatagramPort(
  grant: KnockGranted,
  local: Endpoint,
): Promise<DatagramPort> {
  const service = udpPort(grant);
  const socket = await bind(local);
  try {
    const connection = await passGate(grant, service);
    connection.setKeepAlive(true, KEEP_ALIVE_MS);
    return join(socket, connection);
  } catch (fault) {
    socket.close();
    throw fault;
  }
}

function udpPort({ ports, service }: KnockGranted): ServicePort {
  const [only, ...others] = ports.filter(({ protocol }) => protocol === 'udp');
  if (only !== undefined && others.length === 0) return only;
  const how = only === undefined ? 'no UDP port' : 'several UDP ports';
  throw new HknockError('usage', `service '${service}' has ${how}`, {
    hint: 'a local port leads to a service with exactly one UDP port',
  });
}

async function bind({ address, port }: Endpoint): Promise<Socket> {
  const isIpv6 = familyOf(address) === 6;
  const socket = createSocket({ type: isIpv6 ? 'udp6' : 'udp4', ipv6Only: isIpv6 });
  try {
    const bound = once(socket, 'listening');
    socket.bind(port, address);
    await bound;
  } catch (cause) {
    socket.close();
    const where = formatEndpoint({ address, port });
    throw new HknockError('bind', `cannot have UDP ${where}: ${systemCode(cause) ?? 'refused'}`, {
      hint: 'choose another address or port for --listen',
      cause,
    });
  }
  return socket;
}

/** Joins a local port and a connection: they end together. */
function join(socket: Socket, connection: TLSSocket): DatagramPort {
  const senders = new Senders();
  let over: (error: Error | null) => void = () => undefined;
  const closed = new Promise<void>((resolve, reject) => {
    over = (error) => {
      socket.close();
      if (error === null) resolve();
      else reject(brokenOff(error));
    };
  });
  // whoever waits for it is told; nobody need
  closed.catch(() => undefined);
  const receive = ({ flow, bytes }: FlowDatagram): void => {
    const to = senders.find(flow);
    if (to === null || socket.getSendQueueSize() > MAX_QUEUED_LENGTH) return;
    // one that cannot be sent is lost, as on the way
    socket.send(bytes, to.port, to.address, () => undefined);
  };
  const tunnel = new DatagramTunnel(connection, { receive, over });
  // such as an ICMP error: anyone can forge one
  socket.on('error', () => undefined);
  socket.on('message', (bytes, { address: from, port }) => {
    const address = parseAddress(from);
    // nobody can be answered on port 0, and node:dgram throws
    if (address === null || port === 0) return;
    tunnel.send({ flow: senders.flowOf({ address, port }), bytes });
  });
  const { address, port } = socket.address();
  return {
    endpoint: { address: parseAddress(address) ?? loopback, port },
    closed,
    close: () => {
      tunnel.end();
    },
  };
}

function brokenOff(cause: Error): HknockError {
  const message = `the connection to the gate broke off: ${cause.message}`;
  return new HknockError('connection', message, { hint: 'knock again', cause });
}
