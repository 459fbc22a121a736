import type { Interval } from './wilson.ts';

/**
 * What an attacker can do, after Sel, Totakura and Carle (sKnock, section II), and the two attackers that Manzanares and
 * others (2005) name. All of them know that knocking is in use (B1), and can connect and send from an address of their own.
 */
export type Capability =
  /** A1: sees the client's packets on their way, and what comes back */
  | 'record'
  /** A2: lets them through, changes them, or keeps them back */
  | 'change'
  /** A3: sends from any address, and receives what is sent to any */
  | 'any-address'
  /** knows what knocks look like, sends from any address, and receives nothing for it */
  | 'spoof'
  /** B2: has all that a client has, and was shut out */
  | 'former-client'
  /** is behind the client's NAT, and has its public address */
  | 'neighbour';

/** A column of the table. */
export interface Attacker {
  readonly name: string;
  readonly title: string;
  /** Beside what all can. */
  readonly can: readonly Capability[];
}

export const attackers = [
  { name: 'b1', title: 'B1', can: [] },
  { name: 'a1', title: 'A1', can: ['record'] },
  { name: 'a1a2', title: 'A1, A2', can: ['record', 'change'] },
  { name: 'a1a2a3', title: 'A1, A2, A3', can: ['record', 'change', 'any-address'] },
  { name: 'b2', title: 'B2', can: ['former-client'] },
  { name: 'nat', title: 'NAT-knocking', can: ['neighbour'] },
  { name: 'dos', title: 'DoS-knocking', can: ['spoof'] },
] as const satisfies readonly Attacker[];

export type AttackerName = (typeof attackers)[number]['name'];

/** What is expected of a cell. */
export type Expectation =
  | { readonly outcome: 'holds'; readonly trials?: number }
  | { readonly outcome: 'falls' }
  /** Who is quicker: the odds must be possible between these bounds. */
  | { readonly outcome: 'races'; readonly trials: number; readonly between: Interval }
  /** The client cannot get in at all where this attacker is. */
  | { readonly outcome: 'unusable' }
  /** Nothing: what is seen is told. */
  | { readonly outcome: 'any'; readonly trials: number };

export type Outcome = Exclude<Expectation['outcome'], 'any'>;

/** How one attack went. */
export interface Tally {
  readonly attack: string;
  readonly successes: number;
  readonly trials: number;
}
