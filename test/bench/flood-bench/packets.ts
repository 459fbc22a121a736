import { randomBytes, randomInt } from 'node:crypto';
import { addresses } from '../../support/topology.ts';
import { type Attack, deafPort, ownAddress } from './attacker.ts';
import type { Packet, Source } from './frames.ts';

/** Frames of one flood: so many that they differ, so few that they are made in a moment. */
const FRAMES = 16_384;

const LONGEST = 600;

/** From the attacker's own address. */
export const own: Source = { address: ownAddress, port: deafPort };

/** From the address that the server sees the client at. */
export const asClient: Source = { address: addresses.public, port: deafPort };

/** From where nobody is. */
function forged(): Source {
  const [b, c, d] = randomBytes(3);
  return { address: ['10', b, c, d].join('.'), port: randomInt(1024, 65_536) };
}

/** Random bytes of any length, from everywhere. */
export function randomDatagrams(port: number): Attack {
  return fromEverywhere(port, () => randomBytes(randomInt(1, LONGEST)));
}

/** The same for datagrams that are made one by one. */
export function fromEverywhere(port: number, make: (at: number) => Uint8Array): Attack {
  const packet = (at: number): Packet => ({ source: forged(), port, payload: make(at) });
  return { packets: Array.from({ length: FRAMES }, (_, at) => packet(at)), forged: true };
}

/** Recorded or made datagrams, again and again from one address. */
export function fromOne(source: Source, port: number, payloads: readonly Uint8Array[]): Attack {
  return { packets: payloads.map((payload) => ({ source, port, payload })), forged: false };
}

/** The beginnings of connections, from everywhere. */
export function syns(port: number): Attack {
  const packets = Array.from({ length: FRAMES }, () => ({ source: forged(), port }));
  return { packets, forged: true };
}
