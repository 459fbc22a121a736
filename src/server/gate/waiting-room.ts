import type { Socket } from 'node:net';
import { limitKey } from '../../bytes/prefix.ts';
import type { Clock, Timer } from '../../host/clock.ts';
import type { IpAddress } from '../../units/network.ts';

/** Connections that have proved nothing yet: in all, and from one IPv4 address or IPv6 /64. */
const MAX_WAITING = 1024;
export const MAX_WAITING_PER_SOURCE = 64;

/** From the connection to its first message; then it is reset, whatever it has said or not said (gate.md, section 5). */
export const TIME_LIMIT_MS = 5000;

interface Guest {
  readonly socket: Socket;
  readonly source: string;
  readonly timer: Timer;
}

/**
 * Where connections stay until they have proved themselves. When there is no room, the one that has waited longest has to go: a client
 * sends its proof with the packet after its connection, so a flood must fill the room between these two to keep it out.
 */
export class WaitingRoom {
  readonly #clock: Clock;
  /** By `connectionName`, oldest first. */
  readonly #guests = new Map<string, Guest>();
  readonly #bySource = new Map<string, Set<string>>();
  /** Those that nobody can push out any more: only their time is limited. */
  readonly #proven = new Map<string, Guest>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#guests.size + this.#proven.size;
  }

  enter(socket: Socket, address: IpAddress): void {
    const name = connectionName(socket);
    // one that had the same ends before has gone, though we have not been told yet
    this.leave(name);
    const source = limitKey(address);
    const others = this.#bySource.get(source);
    if (others !== undefined && others.size >= MAX_WAITING_PER_SOURCE) this.#makeRoom(others);
    if (this.#guests.size >= MAX_WAITING) this.#makeRoom(this.#guests.keys());
    const timer = this.#clock.after(TIME_LIMIT_MS, () => socket.resetAndDestroy());
    this.#guests.set(name, { socket, source, timer });
    this.#bySource.set(source, (this.#bySource.get(source) ?? new Set()).add(name));
    socket.once('close', () => {
      // the next one may have the same ends by now, and its time is still limited
      if (this.#find(name)?.socket === socket) this.leave(name);
    });
  }

  /** Keeps one from being pushed out by others, as long as there are not too many such. */
  keep(name: string): void {
    const guest = this.#guests.get(name);
    if (guest === undefined || this.#proven.size >= MAX_WAITING) return;
    this.#forget(name);
    this.#proven.set(name, guest);
  }

  /** Takes one out: from now on nobody limits its time. Safe to call for one that is not here. */
  leave(name: string): void {
    this.#find(name)?.timer.cancel();
    this.#proven.delete(name);
    this.#forget(name);
  }

  #find(name: string): Guest | undefined {
    return this.#guests.get(name) ?? this.#proven.get(name);
  }

  #forget(name: string): void {
    const guest = this.#guests.get(name);
    if (guest === undefined) return;
    this.#guests.delete(name);
    const others = this.#bySource.get(guest.source);
    others?.delete(name);
    if (others?.size === 0) this.#bySource.delete(guest.source);
  }

  /** Resets all. */
  clear(): void {
    for (const { socket } of [...this.#guests.values(), ...this.#proven.values()]) {
      socket.resetAndDestroy();
    }
  }

  #makeRoom(oldestFirst: Iterable<string>): void {
    for (const name of oldestFirst) {
      const guest = this.#guests.get(name);
      this.leave(name);
      guest?.socket.resetAndDestroy();
      return;
    }
  }
}

/** Names a connection by its two ends: the same before and after TLS has taken it over. */
export function connectionName({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${String(remoteAddress)} ${String(remotePort)} ${String(localAddress)}`;
}
