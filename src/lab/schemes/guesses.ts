import { randomBytes, randomInt } from 'node:crypto';
import { datagram, segment } from '../craft.ts';
import type { Guessing } from '../guessing.ts';
import { addresses } from '../network.ts';
import { type Packet, SYN } from '../packet.ts';
import type { HknockServer } from './hknock-server.ts';

/** Enough to see that they are looked at, where each is one packet. */
export const GUESSES = 200;

const KNOCK_PORT = 62_202;

/** SYNs to ports of the server, in that order. */
export function syns(ports: readonly number[]): readonly Packet[] {
  return ports.map((port) => segment({ address: addresses.server, port }, SYN));
}

export function udps(ports: readonly number[]): readonly Packet[] {
  return ports.map((port) => udpTo(port, new Uint8Array()));
}

/** By either protocol. */
export function packetsAt(port: number): readonly Packet[] {
  return [...syns([port]), ...udps([port])];
}

export function udpTo(port: number, payload: Uint8Array): Packet {
  return datagram({ address: addresses.server, port }, payload);
}

/** All ports of a range, in the order in which a scan sends to them. */
export function inOrder(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/** The same in another order each time. */
export function shuffled(ports: readonly number[]): readonly number[] {
  const order = [...ports];
  for (let at = order.length - 1; at > 0; at--) {
    const other = randomInt(at + 1);
    [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
  }
  return order;
}

interface Responses {
  readonly tag: Uint8Array;
  readonly length: number;
  /** Where they go; hknock's usual one if not said. */
  readonly port?: number;
}

/**
 * Responses with the right peer tag, which somebody may have seen, and nothing else: the tag of their seal has 16 bytes, and what is
 * sealed would have to be right, too (wire.md, section 4.3).
 */
export function guessesOfResponses(
  { tag, length, port = KNOCK_PORT }: Responses,
  counted: HknockServer['counted'],
): Guessing {
  return {
    guess: () => [udpTo(port, Buffer.concat([tag, randomBytes(length - tag.length)]))],
    oneIn: 2n ** 128n,
    guesses: GUESSES,
    looks: () => counted('mac'),
  };
}
