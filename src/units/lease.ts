import type { GrantId, PeerName } from './names.ts';
import type { DurationMs } from './time.ts';

/** The place in this list is the number on the wire, counted from 1 (wire.md, section 4.5). */
export const leaseOperations = ['renew', 'close'] as const;

export type LeaseOperation = (typeof leaseOperations)[number];

/** What the holder of a grant wants done with it; whoever has one may rely on the proof having been checked. */
export interface LeaseWish {
  readonly operation: LeaseOperation;
  readonly grant: GrantId;
  readonly peer: PeerName;
  /** Whether nobody else holds the grant: knocks that were granted the same one each have a lease of their own. */
  readonly isLast: boolean;
}

/**
 * `over`: the grant is not in force any more; `refused`: its admission is not renewed; `failed`: the firewall did not take it.
 * The place in this list is the number on the wire (wire.md, section 4.6).
 */
export const leaseStatuses = ['done', 'over', 'refused', 'failed'] as const;

/** What became of the wish. */
export interface LeaseOutcome {
  readonly status: (typeof leaseStatuses)[number];
  /** How long the grant lives after a renewal; 0 after anything else. */
  readonly lifetimeMs: DurationMs;
}

/** An outcome that leaves the grant no life. */
export function leaseEnd(status: LeaseOutcome['status']): LeaseOutcome {
  return { status, lifetimeMs: 0 as DurationMs };
}
