import { type DropReason, dropReasons } from '../errors/drop-reason.ts';
import type { Knock } from '../units/knock.ts';
import type { PeerName } from '../units/names.ts';
import type { Endpoint } from '../units/network.ts';
import type { MonotonicMs } from '../units/time.ts';
import type { HandshakeKeys } from './keys.ts';
import type { LeaseJudgement } from './leases.ts';

/** What is to be done about a datagram: exactly one of these. */
export type Judgement =
  | { readonly kind: 'drop'; readonly reason: DropReason }
  | { readonly kind: 'reply'; readonly bytes: Uint8Array }
  | { readonly kind: 'knock'; readonly knock: Knock; readonly ticket: Ticket }
  | LeaseJudgement;

/** Stands for a knock whose outcome is still open; hand it back to `conclude`. */
export interface Ticket {
  readonly keys: Pick<HandshakeKeys, 'grant'>;
  readonly transcript: Uint8Array;
  /** Under which the replay record knows the knock. */
  readonly replayKey: Uint8Array;
  readonly observed: Endpoint;
  /** Who would hold the grant. */
  readonly holder: Holder;
}

/** Whoever knocked, as a lease knows them. */
export interface Holder {
  readonly tag: Uint8Array;
  readonly peer: PeerName;
  readonly session: Uint8Array;
  /** DER, for whoever came by one. */
  readonly certificate?: Uint8Array;
  /** When the knock was proven. */
  readonly at: MonotonicMs;
}

/** Always the same objects, so that dropping allocates nothing. */
export const drops = Object.fromEntries(
  dropReasons.map((reason) => [reason, Object.freeze({ kind: 'drop', reason })]),
) as Record<DropReason, Judgement & { readonly kind: 'drop' }>;
