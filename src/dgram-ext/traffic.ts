import type { Socket } from 'node:dgram';
import { familyOf, parseAddress } from '../bytes/address.ts';
import {
  type DatagramCounters,
  type DatagramListener,
  MAX_DATAGRAM_LENGTH,
} from '../host/datagram-socket.ts';
import type { Endpoint, IpAddress } from '../units/network.ts';

/**
 * Who listens on an endpoint and what went through it; shared by all its sockets.
 * A listener that throws is a bug of ours and meant to surface: with `node:dgram` as an uncaught exception.
 */
export class Traffic {
  #listener: DatagramListener | null = null;
  #onTooLong: ((remote: Endpoint) => void) | null = null;
  #received = 0;
  #truncated = 0;
  #sent = 0;
  #sendDropped = 0;

  /** As `DatagramSocket` has it. */
  listen(
    listener: DatagramListener,
    onTooLong: (remote: Endpoint) => void = () => undefined,
  ): void {
    this.#listener = listener;
    this.#onTooLong = onTooLong;
  }

  /** For the end of every send: one function for all, so that a send makes no closure. */
  readonly countSend = (error: Error | null): void => {
    if (error === null) this.#sent++;
    else this.#sendDropped++;
  };

  countSendDropped(): void {
    this.#sendDropped++;
  }

  accept(bytes: Uint8Array, remote: Endpoint, local: Endpoint): void {
    this.#received++;
    if (bytes.length <= MAX_DATAGRAM_LENGTH) {
      this.#listener?.(bytes, remote, local);
    } else {
      this.#truncated++;
      this.#onTooLong?.(remote);
    }
  }

  /** Takes all that a socket bound to `local` receives. */
  acceptFrom(socket: Socket, local: Endpoint): void {
    // the system writes IPv4 in canonical form already, and this runs once per datagram
    const canonical = familyOf(local.address) === 4 ? asItIs : canonicalIpv6;
    socket.on('message', (bytes, { address, port }) => {
      this.accept(bytes, { address: canonical(address), port }, local);
    });
  }

  counters(receiveDropped: number): DatagramCounters {
    return {
      received: this.#received,
      sent: this.#sent,
      truncated: this.#truncated,
      sendDropped: this.#sendDropped,
      receiveDropped,
    };
  }
}

function asItIs(text: string): IpAddress {
  return text as IpAddress;
}

// the system's text differs from RFC 5952 only by a zone, or by the last 32 bits as IPv4 (::192.0.2.1)
function canonicalIpv6(text: string): IpAddress {
  const mayDiffer = text.includes('%') || text.includes('.');
  return mayDiffer ? (parseAddress(text) ?? asItIs(text)) : asItIs(text);
}
