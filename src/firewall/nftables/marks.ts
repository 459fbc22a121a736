import { createHash } from 'node:crypto';
import type { PeerName } from '../../units/names.ts';

/** Some of the 32 bits of a conntrack mark. */
export interface MarkPattern {
  readonly value: number;
  readonly mask: number;
}

/**
 * Every connection that we let in has this top byte, and we set no mark on any other. Below it, 19 bits are the
 * peer's number and 5 tell grants apart. A connection that was there before its port was protected has zeros.
 */
export const OUR_MARKS: MarkPattern = { value: 0x6b000000, mask: 0xff000000 };

/** More than a service has ports. */
const TURNS = 32;

const PEER_MASK = 0xffffffff - (TURNS - 1);

/** The mark of connections that come in by one grant of a peer; grants whose turns are 32 apart share it. */
export function markOf(peer: PeerName, turn: number): number {
  return markOfPeer(peer).value + (turn % TURNS);
}

/** Of a connection's mark that which all connections of its peer have: the value of {@link markOfPeer}. */
export function peerPart(mark: number): number {
  return (mark & PEER_MASK) >>> 0;
}

/**
 * The marks of all connections of a peer. Nothing but the name is needed to tell them, so a restart forgets nobody.
 * Of a thousand peers, each shares its number with another by a chance of one in 500: a cut then ends the
 * connections of both.
 */
export function markOfPeer(peer: PeerName): MarkPattern {
  const number = createHash('sha256').update(peer).digest().readUIntBE(0, 3) >>> 5;
  return { value: OUR_MARKS.value + Math.max(number, 1) * TURNS, mask: PEER_MASK };
}
