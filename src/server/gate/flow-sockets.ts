import { createSocket, type Socket } from 'node:dgram';
import type { FlowDatagram } from '../../admission/gate/datagram-frames.ts';
import { MAX_FLOWS } from '../../admission/gate/datagram-tunnel.ts';
import { familyOf, parseAddress } from '../../bytes/address.ts';
import type { Clock, Timer } from '../../host/clock.ts';
import type { Endpoint } from '../../units/network.ts';

/** A flow that is silent both ways for so long has ended. */
const IDLE_MS = 120_000;

/** Bytes that may wait for the system to take them. */
const MAX_QUEUED_LENGTH = 256 * 1024;

/** UDP sockets for the flows of all connections. */
const MAX_FLOWS_IN_ALL = 4096;

/** How many flows there are in all. */
export class FlowRoom {
  #taken = 0;

  get size(): number {
    return this.#taken;
  }

  get isFull(): boolean {
    return this.#taken >= MAX_FLOWS_IN_ALL;
  }

  enter(): void {
    this.#taken++;
  }

  leave(): void {
    this.#taken--;
  }
}

interface Flow {
  /** Talks to the service for this flow alone, so that answers find back. */
  readonly socket: Socket;
  timer: Timer;
}

export interface FlowSocketsOptions {
  readonly service: Endpoint;
  readonly room: FlowRoom;
  readonly clock: Clock;
  readonly answer: (datagram: FlowDatagram) => void;
}

/** The server's ends of the flows of one connection (gate.md, section 4.3). */
export class FlowSockets {
  readonly #options: FlowSocketsOptions;
  /** The one that has been silent longest first. */
  readonly #flows = new Map<number, Flow>();

  constructor(options: FlowSocketsOptions) {
    this.#options = options;
  }

  /** Sends a datagram to the service, or drops it when there is no room. */
  send({ flow: number, bytes }: FlowDatagram): void {
    const flow = this.#flows.get(number) ?? this.#begin(number);
    if (flow === null || flow.socket.getSendQueueSize() > MAX_QUEUED_LENGTH) return;
    this.#touch(number, flow);
    const { address, port } = this.#options.service;
    // one that cannot be sent is lost, as on the way
    flow.socket.send(bytes, port, address, () => undefined);
  }

  /** Ends all flows. */
  close(): void {
    for (const number of [...this.#flows.keys()]) this.#end(number);
  }

  #begin(number: number): Flow | null {
    const { service, room, answer } = this.#options;
    const [oldest] = this.#flows.keys();
    if (oldest !== undefined && (this.#flows.size >= MAX_FLOWS || room.isFull)) this.#end(oldest);
    if (room.isFull) return null;
    const socket = createSocket(familyOf(service.address) === 6 ? 'udp6' : 'udp4');
    const flow = { socket, timer: this.#watch(number) };
    // no port is left for it, or nobody is there: to the client a datagram is lost either way
    socket.on('error', () => undefined);
    socket.on('message', (bytes, { address, port }) => {
      if (port !== service.port || parseAddress(address) !== service.address) return;
      this.#touch(number, flow);
      answer({ flow: number, bytes });
    });
    room.enter();
    this.#flows.set(number, flow);
    return flow;
  }

  #touch(number: number, flow: Flow): void {
    flow.timer.cancel();
    flow.timer = this.#watch(number);
    this.#flows.delete(number);
    this.#flows.set(number, flow);
  }

  #watch(number: number): Timer {
    return this.#options.clock.after(IDLE_MS, () => {
      this.#end(number);
    });
  }

  #end(number: number): void {
    const flow = this.#flows.get(number);
    if (flow === undefined) return;
    this.#flows.delete(number);
    flow.timer.cancel();
    flow.socket.close();
    this.#options.room.leave();
  }
}
