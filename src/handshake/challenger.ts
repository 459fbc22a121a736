import { ENDPOINT_LENGTH } from '../bytes/address.ts';
import { NONCE_LENGTH } from '../crypto/aead.ts';
import type { DropReason } from '../errors/drop-reason.ts';
import { CookieJar } from '../guard/cookie-jar.ts';
import type { Entropy } from '../host/entropy.ts';
import type { Endpoint } from '../units/network.ts';
import type { MonotonicMs } from '../units/time.ts';
import type { HandshakeKeys } from './keys.ts';
import { encodeChallenge } from './wire/challenge.ts';
import type { OpenedRequest } from './wire/request.ts';
import { encodeObservedAndIssuedAt } from './wire/response.ts';

/** How long after its Challenge a Response is taken (wire.md, section 7). */
export const CHALLENGE_LIFE_MS = 10_000;

/** Where a datagram came from and when. */
export interface Arrival {
  readonly source: Endpoint;
  readonly now: MonotonicMs;
}

/** What a Response repeats of the Challenge that it answers. */
export interface Repeated {
  /** The statement `S` of wire.md, section 4.3, whole or in parts. */
  readonly statement: readonly Uint8Array[];
  readonly observed: Endpoint;
  readonly issuedAt: MonotonicMs;
  readonly cookie: Uint8Array;
}

/** Makes Challenges and knows them again, without having kept any (P2). */
export class Challenger {
  readonly #entropy: Entropy;
  readonly #cookies: CookieJar;

  /** @param cookieRoot shared by those who must know each other's Challenges; null when there is one alone */
  constructor(entropy: Entropy, cookieRoot: Uint8Array | null = null) {
    this.#entropy = entropy;
    this.#cookies = new CookieJar(entropy, cookieRoot);
  }

  /** The answer to a Request. */
  challenge(keys: HandshakeKeys, request: OpenedRequest, { source, now }: Arrival): Uint8Array {
    const responderNonce = this.#entropy.bytes(NONCE_LENGTH);
    const observedAndIssuedAt = encodeObservedAndIssuedAt(source, now);
    const statement = [request.nonce, responderNonce, observedAndIssuedAt, request.body];
    const cookie = this.#cookies.create({ tag: keys.tag, statement, issuedAt: now });
    const claimed = request.body.subarray(0, ENDPOINT_LENGTH);
    const nonces = { initiator: request.nonce, responder: responderNonce };
    return encodeChallenge(keys, nonces, { observedAndIssuedAt, claimed, cookie });
  }

  /** Steps 5 to 7 of wire.md, section 5.1: that we made this Challenge, for this address, just now. Null when so. */
  check(
    tag: Uint8Array,
    { statement, observed, issuedAt, cookie }: Repeated,
    { source, now }: Arrival,
  ): DropReason | null {
    if (!this.#cookies.verify(cookie, { tag, statement, issuedAt }, now)) return 'cookie';
    // the port may have been rebound by a NAT since (wire.md, section 5.1)
    if (observed.address !== source.address) return 'source';
    return isAlive(issuedAt, now) ? null : 'expired';
  }
}

/** Whether a Challenge may still be answered. */
export function isAlive(issuedAt: MonotonicMs, now: MonotonicMs): boolean {
  const age = now - issuedAt;
  return age >= 0 && age <= CHALLENGE_LIFE_MS;
}
