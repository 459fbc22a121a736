import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { familyOf, parseAddress } from '../bytes/address.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { DatagramCounters, DatagramSocket } from '../host/datagram-socket.ts';
import { type Endpoint, formatEndpoint } from '../units/network.ts';
import { kernelDrops } from './kernel-drops.ts';
import { closeSocket, isCongested, openSocket } from './open-socket.ts';
import { Traffic } from './traffic.ts';

/**
 * Opens a UDP endpoint to one remote. The kernel chooses the source address, which is then `local[0]`,
 * and keeps away datagrams from everybody else.
 * @throws {HknockError} `no-answer` when there is no way to that address
 */
export async function connectDatagramSocket(remote: Endpoint): Promise<DatagramSocket> {
  const socket = openSocket(familyOf(remote.address));
  try {
    const connected = once(socket, 'connect');
    socket.connect(remote.port, remote.address);
    await connected;
    return new ConnectedSocket(socket, remote);
  } catch (cause) {
    await closeSocket(socket);
    throw new HknockError('no-answer', `there is no way to ${formatEndpoint(remote)} from here`, {
      hint: `'ip route get ${remote.address}' shows what the system would do`,
      cause,
    });
  }
}

class ConnectedSocket implements DatagramSocket {
  readonly local: readonly [Endpoint];
  readonly #socket: Socket;
  readonly #remote: Endpoint;
  readonly #traffic = new Traffic();
  /** As last counted: reading them costs more than a handshake, so a close does not. */
  #drops = 0;
  #closing: Promise<void> | null = null;

  constructor(socket: Socket, remote: Endpoint) {
    const { address, port } = socket.address();
    this.local = [{ address: parseAddress(address) ?? remote.address, port }];
    this.#socket = socket;
    this.#remote = remote;
    this.#traffic.acceptFrom(socket, this.local[0]);
    // an ICMP error such as "port unreachable": anyone can forge one, so it must not end anything (P7)
    socket.on('error', () => undefined);
  }

  listen(...listeners: Parameters<DatagramSocket['listen']>): void {
    this.#traffic.listen(...listeners);
  }

  send(bytes: Uint8Array, remote: Endpoint): void {
    if (this.#closing !== null || !this.#isRemote(remote) || isCongested(this.#socket)) {
      this.#traffic.countSendDropped();
    } else {
      this.#socket.send(bytes, this.#traffic.countSend);
    }
  }

  counters(): DatagramCounters {
    if (this.#closing === null) this.#drops = kernelDrops(this.local);
    return this.#traffic.counters(this.#drops);
  }

  close(): Promise<void> {
    this.#closing ??= closeSocket(this.#socket);
    return this.#closing;
  }

  #isRemote({ address, port }: Endpoint): boolean {
    return address === this.#remote.address && port === this.#remote.port;
  }
}
