import { equalConstantTime } from '../crypto/mac.ts';
import type { Outcome } from '../units/knock.ts';
import type { LeaseOutcome } from '../units/lease.ts';
import type { Endpoint } from '../units/network.ts';
import type { MonotonicMs } from '../units/time.ts';
import type { Arrival } from './challenger.ts';
import { drops, type Judgement, type Ticket } from './judgement.ts';
import type { LeaseTicket } from './leases.ts';
import { ProvenKnocks, type ProvenKnocksOptions } from './proven-knocks.ts';
import { Sieve, type SieveOptions, type SiftedResponse } from './sieve.ts';
import { sessionSecret, transcriptHash } from './transcript.ts';

export interface ResponderOptions extends ProvenKnocksOptions, SieveOptions {}

/**
 * The responder's side of the handshake (wire.md, section 5). Does no input or output: it is told of datagrams and
 * of outcomes, and says what to send.
 */
export class Responder {
  readonly #sieve: Sieve;
  readonly #knocks: ProvenKnocks;

  constructor(options: ResponderOptions) {
    this.#sieve = new Sieve(options);
    this.#knocks = new ProvenKnocks(options);
  }

  /** Knocks now in the replay record. */
  get replayRecordSize(): number {
    return this.#knocks.size;
  }

  /** Judges one datagram, cheapest check first (P9). Never throws for what a stranger may send. */
  receive(datagram: Uint8Array, source: Endpoint, now: MonotonicMs): Judgement {
    const sifted = this.#sieve.sift(datagram, source, now);
    switch (sifted.kind) {
      case 'response':
        return this.#verify(sifted, { source, now });
      case 'lease':
        return this.#knocks.lease(datagram, { source, now });
      default:
        return sifted;
    }
  }

  /** The Grant that tells the outcome of a knock. */
  conclude(ticket: Ticket, outcome: Outcome): Uint8Array {
    return this.#knocks.conclude(ticket, outcome);
  }

  /** The answer to a Lease, to be sent to where it came from; null when there is nobody to be answered any more. */
  concludeLease(ticket: LeaseTicket, outcome: LeaseOutcome): Uint8Array | null {
    return this.#knocks.concludeLease(ticket, outcome);
  }

  #verify({ peer, response, wish }: SiftedResponse, { source, now }: Arrival): Judgement {
    const { name, keys } = peer;
    const { statement, cookie, proof, issuedAt } = response;
    // step 8
    const earlier = this.#knocks.earlier(cookie);
    if (earlier !== null) return earlier;
    // step 9
    const transcript = transcriptHash(keys, statement, cookie);
    if (!equalConstantTime(keys.proof.of(transcript), proof)) return drops.proof;
    // steps 10 and 11
    const session = sessionSecret(keys, transcript);
    const knock = { peer: name, ...wish, observed: source, sessionSecret: session };
    const holder = { tag: keys.tag, peer: name, session, at: now };
    const ticket: Ticket = { keys, transcript, replayKey: cookie, observed: source, holder };
    return this.#knocks.take({ knock, ticket, issuedAt }, now);
  }
}
