import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { familyOf } from '../bytes/address.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { type Endpoint, formatEndpoint, type IpAddress } from '../units/network.ts';
import { bindFault } from './bind-fault.ts';
import { closeSocket, isCongested, openSocket } from './open-socket.ts';
import type { DatagramDescriptors } from '../host/datagram-descriptors.ts';
import type { Place } from './places.ts';
import type { Traffic } from './traffic.ts';

interface UdpSocketOptions {
  readonly receiveBufferBytes: number;
  readonly descriptors: DatagramDescriptors | null;
  readonly onFault: (fault: HknockError) => void;
}

/** One socket of the system, bound to one address. */
export class UdpSocket {
  readonly local: Endpoint;
  /** By which others can have the socket too; null when it cannot be shared. */
  readonly descriptor: number | null;
  readonly #socket: Socket;
  readonly #traffic: Traffic;

  private constructor(
    socket: Socket,
    { address, descriptor }: { address: IpAddress; descriptor: number | null },
    traffic: Traffic,
  ) {
    this.local = { address, port: socket.address().port };
    this.descriptor = descriptor;
    this.#socket = socket;
    this.#traffic = traffic;
    this.#traffic.acceptFrom(socket, this.local);
  }

  /** @throws {HknockError} `bind`, with the system's error as its cause */
  static async bind(place: Place, traffic: Traffic, options: UdpSocketOptions): Promise<UdpSocket> {
    const { address, port } = place.endpoint;
    const socket = openSocket(familyOf(address), options.receiveBufferBytes);
    try {
      const descriptor = options.descriptors?.open(place.endpoint, place.scope) ?? null;
      const bound = once(socket, 'listening');
      if (descriptor === null) socket.bind(port, address + place.zone);
      else socket.bind({ fd: descriptor });
      await bound;
      const udpSocket = new UdpSocket(socket, { address, descriptor }, traffic);
      socket.on('error', (cause) => {
        const message = `receiving on UDP ${formatEndpoint(udpSocket.local)} failed once`;
        options.onFault(new HknockError('host', message, { cause }));
      });
      return udpSocket;
    } catch (cause) {
      await closeSocket(socket);
      throw bindFault(cause, place.endpoint);
    }
  }

  /** Takes part in a socket that somebody else has bound. The descriptor is its own from now on. */
  static share({ address }: Endpoint, descriptor: number, traffic: Traffic): UdpSocket {
    const socket = openSocket(familyOf(address));
    socket.bind({ fd: descriptor });
    // once for each datagram that is lost to an error of the network, which whoever bound it tells
    socket.on('error', () => undefined);
    return new UdpSocket(socket, { address, descriptor }, traffic);
  }

  send(bytes: Uint8Array, { address, port }: Endpoint): void {
    // node:dgram throws on port 0, which a forged source may well have
    if (port === 0 || isCongested(this.#socket)) {
      this.#traffic.countSendDropped();
    } else {
      // a link-local remote needs no zone: a socket bound to a link-local address sends by its interface only
      this.#socket.send(bytes, port, address, this.#traffic.countSend);
    }
  }

  close(): Promise<void> {
    return closeSocket(this.#socket);
  }
}
