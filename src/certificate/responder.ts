import { concat, isZero, startsWith, toHex } from '../bytes/bytes.ts';
import { looksLikePoint } from '../crypto/p256.ts';
import { sha256 } from '../crypto/sha256.ts';
import type { Admits } from '../guard/crowd.ts';
import { type Arrival, Challenger, isAlive } from '../handshake/challenger.ts';
import { drops, type Judgement, type Ticket } from '../handshake/judgement.ts';
import type { HandshakeKeys } from '../handshake/keys.ts';
import type { LeaseTicket } from '../handshake/leases.ts';
import { ProvenKnocks, type ProvenKnocksOptions } from '../handshake/proven-knocks.ts';
import { transcriptHash } from '../handshake/transcript.ts';
import { LEASE_LENGTH } from '../handshake/wire/lease.ts';
import { decodeRequest, REQUEST_LENGTH } from '../handshake/wire/request.ts';
import type { Outcome } from '../units/knock.ts';
import type { LeaseOutcome } from '../units/lease.ts';
import type { Endpoint } from '../units/network.ts';
import type { MonotonicMs } from '../units/time.ts';
import type { Examination, Verdict } from './examine.ts';
import { CERTIFICATE_RESPONSE_LENGTH, decodeResponse } from './response.ts';

/** What is to be done about a datagram: also, with `examine`, the public-key work first. */
export type CertificateJudgement =
  | Judgement
  | {
      readonly kind: 'examine';
      readonly examination: Examination;
      readonly pending: Pending;
    };

/** Stands for a Response that is being examined; hand it back to `judge` or `abandon`. */
export interface Pending {
  readonly responseId: Uint8Array;
  readonly issuedAt: MonotonicMs;
  readonly observed: Endpoint;
}

export interface CertificateResponderOptions extends ProvenKnocksOptions {
  /** Those of the lobby. */
  readonly keys: HandshakeKeys;
  /** Whether there is time for a Request or Response that opened (shield.md, section 5); always if not said. */
  readonly admits?: Admits;
}

const lengths: readonly number[] = [REQUEST_LENGTH, CERTIFICATE_RESPONSE_LENGTH, LEASE_LENGTH];

/** The responder's side of the certificate challenge (certificate.md, section 4). Does no input or output, and no public-key work. */
export class CertificateResponder {
  readonly #keys: HandshakeKeys;
  readonly #challenger: Challenger;
  readonly #knocks: ProvenKnocks;
  readonly #admits: Admits;
  /** Those at work: whoever gives the work away keeps them few. */
  readonly #pending = new Set<string>();

  constructor({ keys, admits = () => true, ...options }: CertificateResponderOptions) {
    this.#keys = keys;
    this.#admits = admits;
    this.#challenger = new Challenger(options.entropy);
    this.#knocks = new ProvenKnocks(options);
  }

  /** Knocks now in the replay record. */
  get replayRecordSize(): number {
    return this.#knocks.size;
  }

  /** Responses that are being examined. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Whether a datagram begins with the tag that all holders of certificates share. */
  owns(datagram: Uint8Array): boolean {
    return startsWith(datagram, this.#keys.tag);
  }

  /** Judges one datagram, cheapest check first (P9). Never throws for what a stranger may send. */
  receive(datagram: Uint8Array, source: Endpoint, now: MonotonicMs): CertificateJudgement {
    // step 1
    const { length } = datagram;
    if (!lengths.includes(length)) return drops.length;
    // step 2
    if (!this.owns(datagram)) return drops.tag;
    if (length === LEASE_LENGTH) return this.#knocks.lease(datagram, { source, now });
    return length === REQUEST_LENGTH
      ? this.#challenge(datagram, { source, now })
      : this.#admit(datagram, { source, now });
  }

  /** What becomes of a Response that has been examined. */
  judge(
    { responseId, issuedAt, observed }: Pending,
    verdict: Verdict,
    now: MonotonicMs,
  ): Judgement {
    this.#pending.delete(toHex(responseId));
    if (verdict.kind === 'bad') return drops[verdict.reason];
    // step 14: its entry in the record would be forgotten before its challenge had expired
    if (!isAlive(issuedAt, now)) return drops.expired;
    const { peer, authorised, wish, sessionSecret } = verdict;
    const knock = { peer, authorised, ...wish, observed, sessionSecret };
    const { tag } = this.#keys;
    const holder = { tag, peer, session: sessionSecret, certificate: verdict.certificate, at: now };
    const { grantKey, transcript } = verdict;
    const ticket = {
      keys: { grant: grantKey },
      transcript,
      replayKey: responseId,
      observed,
      holder,
    };
    return this.#knocks.take({ knock, ticket, issuedAt }, now);
  }

  /** For a Response that could not be examined: it may come again. */
  abandon({ responseId }: Pending): Judgement {
    this.#pending.delete(toHex(responseId));
    return drops.overload;
  }

  /** The Grant that tells the outcome of a knock. */
  conclude(ticket: Ticket, outcome: Outcome): Uint8Array {
    return this.#knocks.conclude(ticket, outcome);
  }

  /** The answer to a Lease; null when there is nobody to be answered any more. */
  concludeLease(ticket: LeaseTicket, outcome: LeaseOutcome): Uint8Array | null {
    return this.#knocks.concludeLease(ticket, outcome);
  }

  /** Steps 3 and 4, then the answer. Nothing is kept (P2). */
  #challenge(datagram: Uint8Array, arrival: Arrival): Judgement {
    const request = decodeRequest(this.#keys, datagram);
    if (request === null) return drops.mac;
    if (!this.#admits(datagram, arrival.source, arrival.now)) return drops.overload;
    if (!isZero(request.body, 0)) return drops.malformed;
    return { kind: 'reply', bytes: this.#challenger.challenge(this.#keys, request, arrival) };
  }

  #admit(datagram: Uint8Array, arrival: Arrival): CertificateJudgement {
    // steps 3 and 4
    const response = decodeResponse(this.#keys, datagram);
    if (response === null) return drops.mac;
    if (!this.#admits(datagram, arrival.source, arrival.now)) return drops.overload;
    const { statement, cookie, ephemeral, envelope, issuedAt } = response;
    if (!looksLikePoint(ephemeral)) return drops.malformed;
    // steps 5 to 7
    const wrong = this.#challenger.check(this.#keys.tag, response, arrival);
    if (wrong !== null) return drops[wrong];
    // step 8
    const responseId = sha256(response.body);
    const earlier = this.#knocks.earlier(responseId);
    if (earlier !== null) return earlier;
    if (this.#pending.has(toHex(responseId))) return drops.pending;
    this.#pending.add(toHex(responseId));
    const challengeTranscript = transcriptHash(this.#keys, concat(...statement), cookie);
    return {
      kind: 'examine',
      examination: { challengeTranscript, ephemeral, envelope },
      pending: { responseId, issuedAt, observed: arrival.source },
    };
  }
}
