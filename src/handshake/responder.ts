import { equalConstantTime } from '../crypto/mac.ts';
import type { Admits } from '../guard/crowd.ts';
import type { Outcome } from '../units/knock.ts';
import type { LeaseOutcome } from '../units/lease.ts';
import type { Endpoint } from '../units/network.ts';
import type { MonotonicMs } from '../units/time.ts';
import { type Arrival, Challenger } from './challenger.ts';
import { drops, type Judgement, type Ticket } from './judgement.ts';
import type { HandshakeKeys } from './keys.ts';
import type { LeaseTicket } from './leases.ts';
import type { KnownPeer, PeerTable } from './peer-table.ts';
import { ProvenKnocks, type ProvenKnocksOptions } from './proven-knocks.ts';
import { sessionSecret, transcriptHash } from './transcript.ts';
import { LEASE_LENGTH } from './wire/lease.ts';
import {
  decodeRequest,
  decodeRequestBody,
  isRequestBody,
  type OpenedRequest,
  REQUEST_LENGTH,
} from './wire/request.ts';
import { decodeResponse, type OpenedResponse, RESPONSE_LENGTH } from './wire/response.ts';

export interface ResponderOptions extends ProvenKnocksOptions {
  /** Whether there is time for a Request or Response that opened (shield.md, section 5); always if not said. */
  readonly admits?: Admits;
  readonly peers: PeerTable;
}

const lengths: readonly number[] = [REQUEST_LENGTH, RESPONSE_LENGTH, LEASE_LENGTH];

/**
 * The responder's side of the handshake (wire.md, section 5). Does no input or output: it is told of datagrams and
 * of outcomes, and says what to send.
 */
export class Responder {
  readonly #peers: PeerTable;
  readonly #challenger: Challenger;
  readonly #knocks: ProvenKnocks;
  readonly #admits: Admits;

  constructor({ peers, admits = () => true, ...options }: ResponderOptions) {
    this.#peers = peers;
    this.#admits = admits;
    this.#challenger = new Challenger(options.entropy);
    this.#knocks = new ProvenKnocks(options);
  }

  /** Knocks now in the replay record. */
  get replayRecordSize(): number {
    return this.#knocks.size;
  }

  /** Judges one datagram, cheapest check first (P9). Never throws for what a stranger may send. */
  receive(datagram: Uint8Array, source: Endpoint, now: MonotonicMs): Judgement {
    // step 1
    const { length } = datagram;
    if (!lengths.includes(length)) return drops.length;
    // step 2
    const peer = this.#peers.find(datagram);
    if (peer === null) return drops.tag;
    if (length === LEASE_LENGTH) return this.#knocks.lease(datagram, { source, now });
    // step 3
    const decode = length === REQUEST_LENGTH ? decodeRequest : decodeResponse;
    const opened = decode(peer.keys, datagram);
    if (opened === null) return drops.mac;
    // opening costs no more than choosing, and garbage uses up nobody's budget
    if (!this.#admits(datagram, source, now)) return drops.overload;
    return 'proof' in opened
      ? this.#verify(peer, opened, { source, now })
      : this.#challenge(peer.keys, opened, { source, now });
  }

  /** The Grant that tells the outcome of a knock. */
  conclude(ticket: Ticket, outcome: Outcome): Uint8Array {
    return this.#knocks.conclude(ticket, outcome);
  }

  /** The answer to a Lease, to be sent to where it came from; null when there is nobody to be answered any more. */
  concludeLease(ticket: LeaseTicket, outcome: LeaseOutcome): Uint8Array | null {
    return this.#knocks.concludeLease(ticket, outcome);
  }

  /** Step 4, then the answer. Nothing is kept (P2). */
  #challenge(keys: HandshakeKeys, request: OpenedRequest, arrival: Arrival): Judgement {
    if (!isRequestBody(request.body)) return drops.malformed;
    return { kind: 'reply', bytes: this.#challenger.challenge(keys, request, arrival) };
  }

  #verify({ name, keys }: KnownPeer, response: OpenedResponse, arrival: Arrival): Judgement {
    // step 4
    const wish = decodeRequestBody(response.requestBody);
    if (wish === null) return drops.malformed;
    // steps 5 to 7
    const { statement, cookie, proof, issuedAt } = response;
    const repeated = { ...response, statement: [statement] };
    const wrong = this.#challenger.check(keys.tag, repeated, arrival);
    if (wrong !== null) return drops[wrong];
    // step 8
    const earlier = this.#knocks.earlier(cookie);
    if (earlier !== null) return earlier;
    // step 9
    const transcript = transcriptHash(keys, statement, cookie);
    if (!equalConstantTime(keys.proof.of(transcript), proof)) return drops.proof;
    // steps 10 and 11
    const { source: observed, now } = arrival;
    const session = sessionSecret(keys, transcript);
    const knock = { peer: name, ...wish, observed, sessionSecret: session };
    const holder = { tag: keys.tag, peer: name, session, at: now };
    const ticket: Ticket = { keys, transcript, replayKey: cookie, observed, holder };
    return this.#knocks.take({ knock, ticket, issuedAt }, now);
  }
}
