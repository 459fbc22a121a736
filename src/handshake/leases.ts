import { toHex } from '../bytes/bytes.ts';
import { equalConstantTime } from '../crypto/mac.ts';
import type { DropReason } from '../errors/drop-reason.ts';
import type { LeaseOutcome, LeaseWish } from '../units/lease.ts';
import type { GrantId, PeerName } from '../units/names.ts';
import type { Endpoint, IpAddress } from '../units/network.ts';
import { later, type MonotonicMs } from '../units/time.ts';
import { deriveLeaseId, deriveLeaseKeys, type LeaseKeys } from './lease-keys.ts';
import { encodeLeaseAnswer } from './wire/lease-answer.ts';
import { decodeLeaseBody, type LeaseBody, leaseIdOf, openLease } from './wire/lease.ts';

/** How long after its end a lease is kept, so that its last answer can be sent again (wire.md, section 7). */
const LINGER_MS = 10_000;

/** As many as there can be grants. Whose lease finds no room keeps the grant for its lifetime and no longer. */
const MAX_LEASES = 262_144;

/** Knocks that may hold one grant; the first gives way to the next. */
const MAX_PER_GRANT = 16;

/** How few leases there may be before it is worth looking for those that are over. */
const FEW = 1024;

/** A grant as the one handshake has it that it was granted to. */
interface Lease {
  readonly tag: Uint8Array;
  readonly id: Uint8Array;
  readonly grant: GrantId;
  readonly peer: PeerName;
  readonly source: IpAddress;
  readonly session: Uint8Array;
  readonly certificate?: Uint8Array;
  /** Derived at its first message: most leases never have one. */
  keys: LeaseKeys | null;
  endsAt: MonotonicMs;
  /** Of the last message taken; 0 before the first. */
  sequence: number;
  /** To that message; null while its outcome is not known. */
  answer: Uint8Array | null;
}

/** What a lease begins with. */
interface Leased {
  readonly tag: Uint8Array;
  readonly session: Uint8Array;
  /** DER; several leases of one certificate should share it. */
  readonly certificate?: Uint8Array;
  readonly grant: GrantId;
  readonly peer: PeerName;
  readonly source: IpAddress;
  readonly endsAt: MonotonicMs;
}

/** Stands for a Lease whose outcome is still open. */
export interface LeaseTicket {
  readonly id: string;
  readonly body: LeaseBody;
  readonly at: MonotonicMs;
}

/** A Lease that was authentic: answered before, or to be acted upon. */
export type LeaseJudgement =
  | { readonly kind: 'reply'; readonly bytes: Uint8Array }
  | { readonly kind: 'lease'; readonly wish: LeaseWish; readonly ticket: LeaseTicket };

/** A datagram of LEASE_LENGTH bytes under a known tag. */
interface Arrival {
  readonly datagram: Uint8Array;
  readonly source: Endpoint;
  readonly now: MonotonicMs;
  /** Asked last, about a renewal: why whoever holds the lease may not have it; null when there is no reason. */
  readonly objection: (holder: Pick<Lease, 'peer' | 'certificate'>) => DropReason | null;
}

/** The leases of live grants: who may renew or close which, by the session secret of the knock (wire.md, section 5.3). */
export class Leases {
  readonly #byId = new Map<string, Lease>();
  readonly #byGrant = new Map<GrantId, Set<Lease>>();
  #sweepAt = FEW;

  /** Those not yet forgotten. */
  get size(): number {
    return this.#byId.size;
  }

  /** Gives whoever was granted something the means to renew and close it. */
  begin(leased: Leased, now: MonotonicMs): void {
    if (this.#byId.size >= this.#sweepAt) this.#sweep(now);
    if (this.#byId.size >= MAX_LEASES) return;
    const id = deriveLeaseId(leased.session);
    const lease: Lease = { ...leased, id, keys: null, sequence: 0, answer: null };
    const holders = this.#byGrant.get(leased.grant) ?? new Set();
    const [first] = holders;
    if (first !== undefined && holders.size >= MAX_PER_GRANT) this.#forget(first);
    this.#byId.set(toHex(id), lease);
    this.#byGrant.set(leased.grant, holders.add(lease));
  }

  /** The checks of wire.md, section 5.3, in their order. */
  judge({ datagram, source, now, objection }: Arrival): LeaseJudgement | DropReason {
    // step 3
    const id = toHex(leaseIdOf(datagram));
    const lease = this.#find(id, now);
    if (lease === null || !equalConstantTime(lease.tag, datagram.subarray(0, lease.tag.length))) {
      return 'lease';
    }
    // step 4
    const keys = (lease.keys ??= deriveLeaseKeys(lease.session));
    const opened = openLease(keys.request, datagram);
    if (opened === null) return 'mac';
    // step 5
    const body = decodeLeaseBody(opened);
    if (body === null) return 'malformed';
    // step 6
    if (lease.source !== source.address) return 'source';
    // step 7
    if (body.sequence < lease.sequence) return 'stale';
    if (body.sequence === lease.sequence) {
      return lease.answer === null ? 'pending' : { kind: 'reply', bytes: lease.answer };
    }
    // step 8: a close makes no work that its knock was not counted for
    const { grant, peer } = lease;
    const wrong = body.operation === 'renew' ? objection(lease) : null;
    if (wrong !== null) return wrong;
    lease.sequence = body.sequence;
    lease.answer = null;
    const isLast = this.#isLast(lease, now);
    const wish = { operation: body.operation, grant, peer, isLast };
    return { kind: 'lease', wish, ticket: { id, body, at: now } };
  }

  /** The answer that tells the outcome; null when the lease has been forgotten meanwhile. */
  conclude(ticket: LeaseTicket, outcome: LeaseOutcome, nonce: Uint8Array): Uint8Array | null {
    const { id, body } = ticket;
    const lease = this.#byId.get(id);
    if (!lease?.keys) return null;
    const to = { tag: lease.tag, id: lease.id, sequence: body.sequence };
    const answer = encodeLeaseAnswer(to, { key: lease.keys.answer, nonce }, outcome);
    if (lease.sequence === body.sequence) {
      lease.answer = answer;
      lease.endsAt = endAfter(lease.endsAt, ticket, outcome);
    }
    return answer;
  }

  #isLast(lease: Lease, now: MonotonicMs): boolean {
    const holders = this.#byGrant.get(lease.grant) ?? [];
    return ![...holders].some((other) => other !== lease && other.endsAt > now);
  }

  #find(id: string, now: MonotonicMs): Lease | null {
    const lease = this.#byId.get(id);
    return lease === undefined || isForgotten(lease, now) ? null : lease;
  }

  // each look through all of them is paid for by as many that came since the last
  #sweep(now: MonotonicMs): void {
    for (const lease of this.#byId.values()) if (isForgotten(lease, now)) this.#forget(lease);
    this.#sweepAt = Math.min(MAX_LEASES, Math.max(FEW, 2 * this.#byId.size));
  }

  #forget(lease: Lease): void {
    this.#byId.delete(toHex(lease.id));
    const holders = this.#byGrant.get(lease.grant);
    holders?.delete(lease);
    if (holders?.size === 0) this.#byGrant.delete(lease.grant);
  }
}

function isForgotten({ endsAt }: Lease, now: MonotonicMs): boolean {
  return now > endsAt + LINGER_MS;
}

/** When a lease ends once its holder has been answered. */
function endAfter(
  endsAt: MonotonicMs,
  { body, at }: LeaseTicket,
  { status, lifetimeMs }: LeaseOutcome,
): MonotonicMs {
  if (status === 'refused' || status === 'failed') return endsAt;
  return body.operation === 'renew' ? later(at, lifetimeMs) : at;
}
