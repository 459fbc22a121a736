import { NONCE_LENGTH } from '../crypto/aead.ts';
import { equalConstantTime } from '../crypto/mac.ts';
import { type DropReason, dropReasons } from '../errors/drop-reason.ts';
import { CookieJar } from '../guard/cookie-jar.ts';
import type { KnockLimits } from '../guard/knock-limits.ts';
import { ReplayRecord } from '../guard/replay-record.ts';
import type { Entropy } from '../host/entropy.ts';
import { type Knock, type Outcome, refuse } from '../units/knock.ts';
import type { Endpoint } from '../units/network.ts';
import { later, type MonotonicMs } from '../units/time.ts';
import type { HandshakeKeys } from './keys.ts';
import type { KnownPeer, PeerTable } from './peer-table.ts';
import { sessionSecret, transcriptHash } from './transcript.ts';
import { encodeChallenge } from './wire/challenge.ts';
import { encodeGrant } from './wire/grant.ts';
import { decodeRequest, decodeRequestBody, isRequestBody, REQUEST_LENGTH } from './wire/request.ts';
import {
  decodeResponse,
  encodeObservedAndIssuedAt,
  type OpenedResponse,
  RESPONSE_LENGTH,
} from './wire/response.ts';
import { ENDPOINT_LENGTH } from '../bytes/address.ts';

/** How long after its Challenge a Response is taken (wire.md, section 7). */
export const CHALLENGE_LIFE_MS = 10_000;

/** What is to be done about a datagram: exactly one of these. */
export type Judgement =
  | { readonly kind: 'drop'; readonly reason: DropReason }
  | { readonly kind: 'reply'; readonly bytes: Uint8Array }
  | { readonly kind: 'knock'; readonly knock: Knock; readonly ticket: Ticket };

/** Stands for a knock whose outcome is still open; hand it back to `conclude`. */
export interface Ticket {
  readonly keys: HandshakeKeys;
  readonly transcript: Uint8Array;
  readonly cookie: Uint8Array;
  readonly observed: Endpoint;
}

export interface ResponderOptions {
  readonly peers: PeerTable;
  readonly entropy: Entropy;
  readonly limits: KnockLimits;
  /** Entries of the replay record; each is a knock of the last 10 s. */
  readonly replayCapacity: number;
}

/** A datagram with where it came from and when. */
interface Arrival {
  readonly source: Endpoint;
  readonly now: MonotonicMs;
}

/** Always the same objects, so that dropping allocates nothing. */
const drops = Object.fromEntries(
  dropReasons.map((reason) => [reason, Object.freeze({ kind: 'drop', reason })]),
) as Record<DropReason, Judgement>;

/**
 * The responder's side of the handshake (wire.md, section 5). Does no input or output: it is told of datagrams and
 * of outcomes, and says what to send.
 */
export class Responder {
  readonly #peers: PeerTable;
  readonly #entropy: Entropy;
  readonly #limits: KnockLimits;
  readonly #cookies: CookieJar;
  readonly #replays: ReplayRecord;

  constructor({ peers, entropy, limits, replayCapacity }: ResponderOptions) {
    this.#peers = peers;
    this.#entropy = entropy;
    this.#limits = limits;
    this.#cookies = new CookieJar(entropy);
    this.#replays = new ReplayRecord(replayCapacity);
  }

  /** Knocks now in the replay record. */
  get replayRecordSize(): number {
    return this.#replays.size;
  }

  /** Judges one datagram, cheapest check first (P9). Never throws for what a stranger may send. */
  receive(datagram: Uint8Array, source: Endpoint, now: MonotonicMs): Judgement {
    // step 1
    const { length } = datagram;
    if (length !== REQUEST_LENGTH && length !== RESPONSE_LENGTH) return drops.length;
    // step 2
    const peer = this.#peers.find(datagram);
    if (peer === null) return drops.tag;
    return length === REQUEST_LENGTH
      ? this.#challenge(peer.keys, datagram, { source, now })
      : this.#verify(peer, datagram, { source, now });
  }

  /** The Grant that tells the outcome; sent again to whoever repeats the Response before its challenge expires (P6). */
  conclude({ keys, transcript, cookie, observed }: Ticket, outcome: Outcome): Uint8Array {
    const grant = this.#grant({ keys, transcript, observed }, outcome);
    this.#replays.conclude(cookie, grant);
    return grant;
  }

  /** Steps 3 and 4, then the answer. Nothing is kept (P2). */
  #challenge(keys: HandshakeKeys, datagram: Uint8Array, { source, now }: Arrival): Judgement {
    const request = decodeRequest(keys, datagram);
    if (request === null) return drops.mac;
    if (!isRequestBody(request.body)) return drops.malformed;

    const responderNonce = this.#entropy.bytes(NONCE_LENGTH);
    const observedAndIssuedAt = encodeObservedAndIssuedAt(source, now);
    const statement = [request.nonce, responderNonce, observedAndIssuedAt, request.body];
    const cookie = this.#cookies.create({ tag: keys.tag, statement, issuedAt: now });
    const claimed = request.body.subarray(0, ENDPOINT_LENGTH);
    const nonces = { initiator: request.nonce, responder: responderNonce };
    const bytes = encodeChallenge(keys, nonces, { observedAndIssuedAt, claimed, cookie });
    return { kind: 'reply', bytes };
  }

  #verify(peer: KnownPeer, datagram: Uint8Array, { source, now }: Arrival): Judgement {
    const { keys } = peer;
    // step 3
    const response = decodeResponse(keys, datagram);
    if (response === null) return drops.mac;
    // step 4
    const wish = decodeRequestBody(response.requestBody);
    if (wish === null) return drops.malformed;
    // steps 5 to 7: that we made this challenge, for this address, just now
    const stale = this.#checkChallenge(keys, response, { source, now });
    if (stale !== null) return stale;
    // step 8
    const answered = this.#replays.find(response.cookie);
    if (answered === 'pending') return drops.pending;
    if (answered !== null) return { kind: 'reply', bytes: answered };
    // step 9
    const { statement, cookie, proof } = response;
    const transcript = transcriptHash(keys, statement, cookie);
    if (!equalConstantTime(keys.proof.of(transcript), proof)) return drops.proof;
    const ticket: Ticket = { keys, transcript, cookie, observed: source };
    // step 10: what cannot be remembered must not be opened
    if (!this.#replays.hasRoom(now)) {
      return { kind: 'reply', bytes: this.#grant(ticket, refuse('busy')) };
    }
    // step 11: before the record takes it in, which one peer must not be able to fill for all
    if (!this.#limits.take(peer.name, source.address, now)) {
      return { kind: 'reply', bytes: this.#grant(ticket, refuse('limit-reached')) };
    }
    this.#replays.begin(cookie, later(response.issuedAt, CHALLENGE_LIFE_MS), now);
    const session = sessionSecret(keys, transcript);
    const knock = { peer: peer.name, ...wish, observed: source, sessionSecret: session };
    return { kind: 'knock', knock, ticket };
  }

  #checkChallenge(
    keys: HandshakeKeys,
    { statement, cookie, issuedAt, observed }: OpenedResponse,
    { source, now }: Arrival,
  ): Judgement | null {
    if (!this.#cookies.verify(cookie, { tag: keys.tag, statement: [statement], issuedAt }, now)) {
      return drops.cookie;
    }
    // the port may have been rebound by a NAT since (wire.md, section 5.1)
    if (observed.address !== source.address) return drops.source;
    const age = now - issuedAt;
    return age >= 0 && age <= CHALLENGE_LIFE_MS ? null : drops.expired;
  }

  #grant({ keys, transcript, observed }: Omit<Ticket, 'cookie'>, outcome: Outcome): Uint8Array {
    const nonce = this.#entropy.bytes(NONCE_LENGTH);
    return encodeGrant(keys, { nonce, transcript }, { outcome, observed });
  }
}
