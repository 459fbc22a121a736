import { addresses } from './network.ts';
import { type Packet, SYN } from './packet.ts';
import type { Defence } from './scheme.ts';

type Ports = Pick<Defence, 'ports' | 'knocksByConnecting'>;

/** Admission 'port' has its ports from here on. */
const FIRST_SECRET = 10_000;

/** Whether a client's packet belongs to its knock, not to its connection. */
export function isKnock(
  { destination, destinationPort, protocol, tcp }: Packet,
  { ports, knocksByConnecting = false }: Ports,
): boolean {
  if (destination !== addresses.server) return false;
  if (protocol === 'tcp' && ports.includes(destinationPort)) {
    return knocksByConnecting && tcp?.flags === SYN;
  }
  return protocol === 'udp' || tcp?.flags === SYN;
}

/** Whether a client's packet belongs to a connection. */
export function isOfConnection({ destinationPort, protocol }: Packet, { ports }: Ports): boolean {
  return protocol === 'tcp' && (ports.includes(destinationPort) || destinationPort >= FIRST_SECRET);
}

/** Whether a packet to a client is what the server has to say to its knock. */
export function isAnswer({ source, protocol }: Packet): boolean {
  return protocol === 'udp' && source === addresses.server;
}
