import type { Admits } from '../guard/crowd.ts';
import type { Entropy } from '../host/entropy.ts';
import type { Endpoint } from '../units/network.ts';
import type { MonotonicMs } from '../units/time.ts';
import { type Arrival, Challenger } from './challenger.ts';
import { drops, type Judgement } from './judgement.ts';
import type { HandshakeKeys } from './keys.ts';
import type { KnownPeer, PeerTable } from './peer-table.ts';
import { LEASE_LENGTH } from './wire/lease.ts';
import {
  decodeRequest,
  decodeRequestBody,
  isRequestBody,
  type OpenedRequest,
  REQUEST_LENGTH,
  type RequestBody,
} from './wire/request.ts';
import { decodeResponse, type OpenedResponse, RESPONSE_LENGTH } from './wire/response.ts';

export interface SieveOptions {
  /** Whether there is time for a Request or Response that opened (shield.md, section 5); always if not said. */
  readonly admits?: Admits;
  readonly peers: PeerTable;
  readonly entropy: Entropy;
  /** Shared by all who must know each other's Challenges; none if there is one alone. */
  readonly cookieRoot?: Uint8Array | null;
}

/** A Response that answers a Challenge of ours, in time and from the right address; its proof is still to be looked at. */
export interface SiftedResponse {
  readonly kind: 'response';
  readonly peer: KnownPeer;
  readonly response: OpenedResponse;
  readonly wish: RequestBody;
}

/** A message of a Lease's length under a known tag. */
interface SiftedLease {
  readonly kind: 'lease';
}

export type Sifted =
  (Judgement & { readonly kind: 'drop' | 'reply' }) | SiftedResponse | SiftedLease;

const lengths: readonly number[] = [REQUEST_LENGTH, RESPONSE_LENGTH, LEASE_LENGTH];

/**
 * What of the responder needs no memory (P2): it answers Requests, and lets nothing through but what the replay record and
 * the leases have to decide about. There may be many of them before one record.
 */
export class Sieve {
  readonly #peers: PeerTable;
  readonly #challenger: Challenger;
  readonly #admits: Admits;

  constructor({ admits = () => true, peers, entropy, cookieRoot = null }: SieveOptions) {
    this.#admits = admits;
    this.#peers = peers;
    this.#challenger = new Challenger(entropy, cookieRoot);
  }

  /** Steps 1 to 7 of wire.md, section 5.1, cheapest check first (P9). Never throws for what a stranger may send. */
  sift(datagram: Uint8Array, source: Endpoint, now: MonotonicMs): Sifted {
    // step 1
    const { length } = datagram;
    if (!lengths.includes(length)) return drops.length;
    // step 2
    const peer = this.#peers.find(datagram);
    if (peer === null) return drops.tag;
    if (length === LEASE_LENGTH) return lease;
    // step 3
    const decode = length === REQUEST_LENGTH ? decodeRequest : decodeResponse;
    const opened = decode(peer.keys, datagram);
    if (opened === null) return drops.mac;
    // opening costs no more than choosing, and garbage uses up nobody's budget
    if (!this.#admits(datagram, source, now)) return drops.overload;
    const arrival = { source, now };
    return 'proof' in opened
      ? this.#check(peer, opened, arrival)
      : this.#challenge(peer.keys, opened, arrival);
  }

  /** Step 4, then the answer. Nothing is kept. */
  #challenge(keys: HandshakeKeys, request: OpenedRequest, arrival: Arrival): Sifted {
    if (!isRequestBody(request.body)) return drops.malformed;
    return { kind: 'reply', bytes: this.#challenger.challenge(keys, request, arrival) };
  }

  #check(peer: KnownPeer, response: OpenedResponse, arrival: Arrival): Sifted {
    // step 4
    const wish = decodeRequestBody(response.requestBody);
    if (wish === null) return drops.malformed;
    // steps 5 to 7
    const repeated = { ...response, statement: [response.statement] };
    const wrong = this.#challenger.check(peer.keys.tag, repeated, arrival);
    return wrong === null ? { kind: 'response', peer, response, wish } : drops[wrong];
  }
}

const lease: SiftedLease = Object.freeze({ kind: 'lease' });
