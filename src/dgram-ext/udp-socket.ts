import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { familyOf } from '../bytes/address.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { type Endpoint, formatEndpoint } from '../units/network.ts';
import { bindFault } from './bind-fault.ts';
import { closeSocket, isCongested, openSocket } from './open-socket.ts';
import type { Place } from './places.ts';
import type { Traffic } from './traffic.ts';

interface UdpSocketOptions {
  readonly receiveBufferBytes: number;
  readonly onFault: (fault: HknockError) => void;
}

/** One socket of the system, bound to one address. */
export class UdpSocket {
  readonly local: Endpoint;
  readonly #socket: Socket;
  readonly #traffic: Traffic;

  private constructor(socket: Socket, { endpoint }: Place, traffic: Traffic) {
    this.local = { address: endpoint.address, port: socket.address().port };
    this.#socket = socket;
    this.#traffic = traffic;
    this.#traffic.acceptFrom(socket, this.local);
  }

  /** @throws {HknockError} `bind`, with the system's error as its cause */
  static async bind(place: Place, traffic: Traffic, options: UdpSocketOptions): Promise<UdpSocket> {
    const { address, port } = place.endpoint;
    const socket = openSocket(familyOf(address), options.receiveBufferBytes);
    try {
      const bound = once(socket, 'listening');
      socket.bind(port, address + place.zone);
      await bound;
      const udpSocket = new UdpSocket(socket, place, traffic);
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
