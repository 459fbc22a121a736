import { decodeEndpoint, ENDPOINT_LENGTH } from '../../bytes/address.ts';
import { concat } from '../../bytes/bytes.ts';
import { NONCE_LENGTH, open, seal } from '../../crypto/aead.ts';
import { COOKIE_LENGTH } from '../../guard/cookie-jar.ts';
import type { Endpoint } from '../../units/network.ts';
import type { HandshakeKeys } from '../keys.ts';

/**
 * Challenge, responder to initiator (wire.md, section 4.2). As long as the Request it answers (P3).
 *
 *     0  24  responder nonce
 *    24  76  seal(K_challenge, responder nonce, peer tag ‖ initiator nonce, body)
 *
 *    body   0  18  observed endpoint
 *          18   8  issued at
 *          26  18  claimed endpoint
 *          44  16  cookie
 */
export const CHALLENGE_LENGTH = 100;

const ISSUED_AT_LENGTH = 8;
const CLAIMED_AT = ENDPOINT_LENGTH + ISSUED_AT_LENGTH;
const COOKIE_AT = CLAIMED_AT + ENDPOINT_LENGTH;

/** What belongs to one Challenge beside the keys. */
export interface ChallengeNonces {
  readonly initiator: Uint8Array;
  readonly responder: Uint8Array;
}

/** The parts of a Challenge as bytes, which is how they go into the statement. */
export interface ChallengeBody {
  /** Observed endpoint and issue time together: 26 bytes. */
  readonly observedAndIssuedAt: Uint8Array;
  /** 18 bytes. */
  readonly claimed: Uint8Array;
  /** 16 bytes. */
  readonly cookie: Uint8Array;
}

/** The whole datagram, 100 bytes. */
export function encodeChallenge(
  keys: HandshakeKeys,
  nonces: ChallengeNonces,
  { observedAndIssuedAt, claimed, cookie }: ChallengeBody,
): Uint8Array {
  const ad = concat(keys.tag, nonces.initiator);
  const body = concat(observedAndIssuedAt, claimed, cookie);
  return concat(nonces.responder, seal({ key: keys.challenge, nonce: nonces.responder, ad }, body));
}

/** Opens a Challenge to the Request with this nonce; null when the datagram is anything else. */
export function decodeChallenge(
  keys: HandshakeKeys,
  initiatorNonce: Uint8Array,
  datagram: Uint8Array,
): (ChallengeBody & { readonly nonce: Uint8Array }) | null {
  if (datagram.length !== CHALLENGE_LENGTH) return null;
  const nonce = datagram.subarray(0, NONCE_LENGTH);
  const ad = concat(keys.tag, initiatorNonce);
  const body = open({ key: keys.challenge, nonce, ad }, datagram.subarray(NONCE_LENGTH));
  if (body === null) return null;
  return {
    nonce,
    observedAndIssuedAt: body.subarray(0, CLAIMED_AT),
    claimed: body.subarray(CLAIMED_AT, COOKIE_AT),
    cookie: body.subarray(COOKIE_AT, COOKIE_AT + COOKIE_LENGTH),
  };
}

/** The observed endpoint of a Challenge. */
export function observedEndpoint({ observedAndIssuedAt }: ChallengeBody): Endpoint {
  return decodeEndpoint(observedAndIssuedAt, 0);
}
