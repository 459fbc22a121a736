import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { familyOf, parseAddress } from '../../bytes/address.ts';
import type { Timer } from '../../host/clock.ts';
import type { Cut } from '../../host/firewall.ts';
import { type Endpoint, formatEndpoint, type IpAddress } from '../../units/network.ts';
import {
  bindAll,
  type Door,
  type DoorOptions,
  isMeant,
  MAX_VISITORS,
  type Visitor,
} from './door.ts';

/** A flow that is silent both ways for so long has ended. */
const IDLE_MS = 60_000;

/** Bytes that may wait for the system to take them; more are dropped, as a full queue of a router drops them. */
const MAX_QUEUED_LENGTH = 1024 * 1024;

interface Flow extends Visitor {
  /** Talks to the service for this flow alone, so that answers find back. */
  readonly socket: Socket;
  lastMs: number;
  timer: Timer;
}

/**
 * A UDP port in front of a service. What comes first from an address and port with a grant begins a flow; answers
 * leave from the socket that was asked.
 */
export class UdpDoor implements Door {
  readonly #options: DoorOptions;
  readonly #flows = new Map<string, Flow>();
  #upstream: Endpoint;
  #sockets: readonly Socket[] | null = null;
  #wanted = false;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#upstream = options.upstream;
  }

  async open(): Promise<void> {
    this.#wanted = true;
    this.#sockets ??= await bindAll(this.#options, (address) => this.#bind(address));
  }

  // not before the last flow has ended: its packets come in by the same socket
  shut(): void {
    this.#wanted = false;
    this.#closeIfIdle();
  }

  leadTo(upstream: Endpoint): void {
    this.#upstream = upstream;
  }

  cut(cut: Cut): void {
    for (const [key, flow] of this.#flows) if (isMeant(cut, flow)) this.#endFlow(key);
  }

  end(): void {
    this.#wanted = false;
    for (const key of [...this.#flows.keys()]) this.#endFlow(key);
    this.#closeIfIdle();
  }

  async #bind(address: IpAddress): Promise<Socket> {
    const isIpv6 = familyOf(address) === 6;
    const socket = createSocket({ type: isIpv6 ? 'udp6' : 'udp4', ipv6Only: isIpv6 });
    socket.bind(this.#options.port.port, address);
    await once(socket, 'listening').catch((error: unknown) => {
      socket.close();
      throw error;
    });
    socket.on('error', () => undefined);
    return socket.on('message', (bytes, { address: from, port }) => {
      const source = parseAddress(from);
      // nobody can be answered on port 0, and node:dgram throws: but anybody can forge it as the source
      if (source !== null && port !== 0) this.#receive(bytes, { address: source, port }, socket);
    });
  }

  #receive(bytes: Buffer, remote: Endpoint, asked: Socket): void {
    const key = `${asked.address().address} ${formatEndpoint(remote)}`;
    const flow = this.#flows.get(key) ?? this.#begin(key, remote, asked);
    if (flow === null) return;
    flow.lastMs = this.#options.clock.monotonicMs();
    send(flow.socket, bytes, this.#upstream);
  }

  #begin(key: string, remote: Endpoint, asked: Socket): Flow | null {
    const source = remote.address;
    const peer = this.#flows.size < MAX_VISITORS ? this.#options.admit(source) : null;
    if (peer === null) return null;
    const socket = createSocket(familyOf(this.#upstream.address) === 6 ? 'udp6' : 'udp4');
    const flow = { peer, source, socket, lastMs: 0, timer: this.#watch(key, IDLE_MS) };
    socket.on('error', () => undefined);
    socket.on('message', (bytes, { address, port }) => {
      if (port !== this.#upstream.port || parseAddress(address) !== this.#upstream.address) return;
      flow.lastMs = this.#options.clock.monotonicMs();
      send(asked, bytes, remote);
    });
    this.#flows.set(key, flow);
    return flow;
  }

  // one look a minute costs less than a new timer for each datagram
  #watch(key: string, delayMs: number): Timer {
    const { clock } = this.#options;
    return clock.after(delayMs, () => {
      const flow = this.#flows.get(key);
      if (flow === undefined) return;
      const leftMs = flow.lastMs + IDLE_MS - clock.monotonicMs();
      if (leftMs <= 0) this.#endFlow(key);
      else flow.timer = this.#watch(key, leftMs);
    });
  }

  #endFlow(key: string): void {
    const flow = this.#flows.get(key);
    if (flow === undefined) return;
    this.#flows.delete(key);
    flow.timer.cancel();
    flow.socket.close();
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (this.#wanted || this.#flows.size > 0) return;
    for (const socket of this.#sockets ?? []) socket.close();
    this.#sockets = null;
  }
}

function send(socket: Socket, bytes: Buffer, { address, port }: Endpoint): void {
  if (socket.getSendQueueSize() > MAX_QUEUED_LENGTH) return;
  // a datagram that cannot be sent is lost, as on the way
  socket.send(bytes, port, address, () => undefined);
}
