import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { familyOf, parseAddress } from '../../bytes/address.ts';
import type { Cut } from '../../host/firewall.ts';
import type { Endpoint, IpAddress } from '../../units/network.ts';
import {
  bindAll,
  type Door,
  type DoorOptions,
  isMeant,
  MAX_VISITORS,
  type Visitor,
} from './door.ts';

/** After this much silence the system asks whether the other side still is there. */
const KEEP_ALIVE_MS = 60_000;

/** A TCP port in front of a service. */
export class TcpDoor implements Door {
  readonly #options: DoorOptions;
  readonly #visitors = new Map<Socket, Visitor>();
  #upstream: Endpoint;
  #servers: readonly Server[] | null = null;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#upstream = options.upstream;
  }

  async open(): Promise<void> {
    this.#servers ??= await bindAll(this.#options, (address) => this.#bind(address));
  }

  shut(): void {
    for (const server of this.#servers ?? []) server.close();
    this.#servers = null;
  }

  leadTo(upstream: Endpoint): void {
    this.#upstream = upstream;
  }

  cut(cut: Cut): void {
    for (const [socket, visitor] of this.#visitors) {
      if (isMeant(cut, visitor)) socket.resetAndDestroy();
    }
  }

  end(): void {
    this.shut();
    for (const socket of this.#visitors.keys()) socket.destroy();
  }

  async #bind(address: IpAddress): Promise<Server> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#meet(socket);
    });
    const ipv6Only = familyOf(address) === 6;
    server.listen({ host: address, port: this.#options.port.port, ipv6Only });
    await once(server, 'listening');
    // later faults, such as no file descriptors left, concern one connection and not the door
    server.on('error', () => undefined);
    return server;
  }

  #meet(socket: Socket): void {
    socket.on('error', () => undefined); // 'close' tells of the same end
    const source = parseAddress(socket.remoteAddress ?? '');
    const hasRoom = this.#visitors.size < MAX_VISITORS;
    const peer = source !== null && hasRoom ? this.#options.admit(source) : null;
    if (source === null || peer === null) {
      socket.resetAndDestroy();
      return;
    }
    this.#visitors.set(socket, { peer, source });
    socket.once('close', () => this.#visitors.delete(socket));
    const { address, port } = this.#upstream;
    join(socket, connect({ host: address, port, allowHalfOpen: true, noDelay: true }));
  }
}

/** Hands each side's data to the other as fast as that takes it, and each end of data on by itself. */
function join(visitor: Socket, service: Socket): void {
  visitor.pipe(service);
  service.pipe(visitor);
  for (const [from, to] of [
    [visitor, service],
    [service, visitor],
  ] as const) {
    from.setKeepAlive(true, KEEP_ALIVE_MS);
    from.on('error', () => undefined);
    from.once('close', () => {
      // it was broken off: so is the other side, or that would wait for ever
      if (!from.readableEnded || !from.writableFinished) to.resetAndDestroy();
    });
  }
}
