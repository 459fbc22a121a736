import { NONCE_LENGTH } from '../crypto/aead.ts';
import type { KnockLimits } from '../guard/knock-limits.ts';
import { ReplayRecord } from '../guard/replay-record.ts';
import type { Entropy } from '../host/entropy.ts';
import { type Knock, type Outcome, refuse } from '../units/knock.ts';
import type { LeaseOutcome } from '../units/lease.ts';
import { later, type MonotonicMs } from '../units/time.ts';
import { type Arrival, CHALLENGE_LIFE_MS } from './challenger.ts';
import { drops, type Holder, type Judgement, type Ticket } from './judgement.ts';
import { Leases, type LeaseTicket } from './leases.ts';
import { encodeGrant } from './wire/grant.ts';

export interface ProvenKnocksOptions {
  readonly entropy: Entropy;
  readonly limits: KnockLimits;
  /** Entries of the replay record; each is a knock of the last 10 s. */
  readonly replayCapacity: number;
  /** Whether a certificate may still knock, where knocks are proven by certificates. */
  readonly isGood?: (certificate: Uint8Array) => boolean;
}

/** A knock whose proof is right. */
export interface Proven {
  readonly knock: Knock;
  readonly ticket: Ticket;
  readonly issuedAt: MonotonicMs;
}

/** What becomes of knocks once they are proven, whatever they were proven with: each is taken once, and answered alike ever after (P6). */
export class ProvenKnocks {
  readonly #entropy: Entropy;
  readonly #limits: KnockLimits;
  readonly #replays: ReplayRecord;
  readonly #leases = new Leases();
  readonly #isGood: (certificate: Uint8Array) => boolean;

  constructor({ entropy, limits, replayCapacity, isGood }: ProvenKnocksOptions) {
    this.#entropy = entropy;
    this.#limits = limits;
    this.#isGood = isGood ?? (() => true);
    this.#replays = new ReplayRecord(replayCapacity);
  }

  /** Knocks now in the replay record. */
  get size(): number {
    return this.#replays.size;
  }

  /** Step 8 of wire.md, section 5.1: what was said to this knock before; null when it is new. */
  earlier(replayKey: Uint8Array): Judgement | null {
    const answered = this.#replays.find(replayKey);
    if (answered === null) return null;
    return answered === 'pending' ? drops.pending : { kind: 'reply', bytes: answered };
  }

  /** Steps 10 and 11: room and limits, and then it is in the record. */
  take({ knock, ticket, issuedAt }: Proven, now: MonotonicMs): Judgement {
    // what cannot be remembered must not be opened
    if (!this.#replays.hasRoom(now)) return this.#refusal(ticket, 'busy');
    // before the record takes it in, which one peer must not be able to fill for all
    if (!this.#limits.take(knock.peer, knock.observed.address, now)) {
      return this.#refusal(ticket, 'limit-reached');
    }
    this.#replays.begin(ticket.replayKey, later(issuedAt, CHALLENGE_LIFE_MS), now);
    return { kind: 'knock', knock, ticket };
  }

  /** The Grant that tells the outcome; sent again to whoever repeats the Response before its challenge expires (P6). */
  conclude(ticket: Ticket, outcome: Outcome): Uint8Array {
    if (outcome.kind === 'granted') {
      const { holder, observed } = ticket;
      const endsAt = later(holder.at, outcome.lifetimeMs);
      const lease = { ...holder, grant: outcome.grant, source: observed.address, endsAt };
      this.#leases.begin(lease, holder.at);
    }
    const grant = this.#grant(ticket, outcome);
    this.#replays.conclude(ticket.replayKey, grant);
    return grant;
  }

  /** Section 5.3 of wire.md, from step 3 on. */
  lease(datagram: Uint8Array, { source, now }: Arrival): Judgement {
    const objection = ({ peer, certificate }: Pick<Holder, 'peer' | 'certificate'>) => {
      if (certificate !== undefined && !this.#isGood(certificate)) return 'certificate';
      return this.#limits.take(peer, source.address, now) ? null : 'limit';
    };
    const judged = this.#leases.judge({ datagram, source, now, objection });
    return typeof judged === 'string' ? drops[judged] : judged;
  }

  /** The answer to a Lease, to be sent to where it came from; null when there is nobody to be answered any more. */
  concludeLease(ticket: LeaseTicket, outcome: LeaseOutcome): Uint8Array | null {
    return this.#leases.conclude(ticket, outcome, this.#entropy.bytes(NONCE_LENGTH));
  }

  #refusal(ticket: Ticket, reason: 'busy' | 'limit-reached'): Judgement {
    return { kind: 'reply', bytes: this.#grant(ticket, refuse(reason)) };
  }

  #grant({ keys, transcript, observed }: Ticket, outcome: Outcome): Uint8Array {
    const nonce = this.#entropy.bytes(NONCE_LENGTH);
    return encodeGrant(keys, { nonce, transcript }, { outcome, observed });
  }
}
