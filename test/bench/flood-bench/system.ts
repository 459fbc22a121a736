import type { Attack } from './attacker.ts';
import type { Kind } from './kinds.ts';

/** Legitimate knocks, each at a door of its own. */
export interface Tries {
  readonly count: number;
  /** They begin at even distances, whether or not those before have ended; each when the one before has ended, if null. */
  readonly overMs: number | null;
  /** What has not let its client in by then has failed. */
  readonly withinMs: number;
}

/** From the beginning of a knock to a TCP connection, in milliseconds; null for one that failed. */
export type Times = readonly (number | null)[];

/** A port knocking system that is running on the server, with a client of its own behind the NAT. */
export interface System {
  readonly name: string;
  readonly version: string;
  /** Legitimate knocks that make a figure, if not said otherwise. */
  readonly knocks: number;
  /** The daemon's process. */
  readonly pid: number;
  knock(tries: Tries): Promise<Times>;
  /** Null: the system has nothing of the kind. */
  attack(kind: Kind): Promise<Attack | null>;
}
