import { decodeEndpoint, encodeEndpoint, ENDPOINT_LENGTH } from '../../bytes/address.ts';
import { concat } from '../../bytes/bytes.ts';
import { decodeUint64, encodeUint64 } from '../../bytes/integer.ts';
import { PEER_TAG_LENGTH } from '../../bytes/key-lengths.ts';
import { NONCE_LENGTH, open, seal } from '../../crypto/aead.ts';
import { COOKIE_LENGTH } from '../../guard/cookie-jar.ts';
import type { Endpoint } from '../../units/network.ts';
import type { MonotonicMs } from '../../units/time.ts';
import type { HandshakeKeys } from '../keys.ts';
import { REQUEST_BODY_LENGTH } from './request.ts';

/**
 * Response, initiator to responder (wire.md, section 4.3).
 *
 *     0    8  peer tag
 *     8   24  nonce
 *    32  190  seal(K_response, nonce, peer tag, body)
 *
 *    body    0  126  statement
 *          126   16  cookie
 *          142   32  proof
 *
 *    statement   0  24  initiator nonce
 *               24  24  responder nonce
 *               48  18  observed endpoint
 *               66   8  issued at
 *               74  52  the Request's body
 */
export const RESPONSE_LENGTH = 222;

const OBSERVED_AND_ISSUED_AT_LENGTH = ENDPOINT_LENGTH + 8;

const OBSERVED_AT = 2 * NONCE_LENGTH;
const ISSUED_AT_AT = OBSERVED_AT + ENDPOINT_LENGTH;
const REQUEST_BODY_AT = OBSERVED_AT + OBSERVED_AND_ISSUED_AT_LENGTH;
const COOKIE_AT = REQUEST_BODY_AT + REQUEST_BODY_LENGTH;
const PROOF_AT = COOKIE_AT + COOKIE_LENGTH;
const SEALED_AT = PEER_TAG_LENGTH + NONCE_LENGTH;

/** A Response that opened, in the bytes that came: cookie and proof are checked over these, never over a re-encoding. */
export interface OpenedResponse {
  /** 126 bytes. */
  readonly statement: Uint8Array;
  readonly observed: Endpoint;
  readonly issuedAt: MonotonicMs;
  readonly requestBody: Uint8Array;
  readonly cookie: Uint8Array;
  readonly proof: Uint8Array;
}

/** What a Response says beside the nonce of its seal. */
export interface ResponseBody {
  readonly statement: Uint8Array;
  readonly cookie: Uint8Array;
  readonly proof: Uint8Array;
}

/** 26 bytes: where the Request came from and when it was answered. */
export function encodeObservedAndIssuedAt(observed: Endpoint, issuedAt: MonotonicMs): Uint8Array {
  const bytes = new Uint8Array(OBSERVED_AND_ISSUED_AT_LENGTH);
  encodeEndpoint(observed, bytes, 0);
  encodeUint64(issuedAt, bytes, ENDPOINT_LENGTH);
  return bytes;
}

/** The whole datagram, 222 bytes. */
export function encodeResponse(
  keys: HandshakeKeys,
  nonce: Uint8Array,
  { statement, cookie, proof }: ResponseBody,
): Uint8Array {
  const body = concat(statement, cookie, proof);
  return concat(keys.tag, nonce, seal({ key: keys.response, nonce, ad: keys.tag }, body));
}

/** Opens a datagram of RESPONSE_LENGTH bytes; null when it was not sealed under this peer's key. */
export function decodeResponse(keys: HandshakeKeys, datagram: Uint8Array): OpenedResponse | null {
  const nonce = datagram.subarray(PEER_TAG_LENGTH, SEALED_AT);
  const body = open({ key: keys.response, nonce, ad: keys.tag }, datagram.subarray(SEALED_AT));
  if (body === null) return null;
  return {
    statement: body.subarray(0, COOKIE_AT),
    observed: decodeEndpoint(body, OBSERVED_AT),
    issuedAt: decodeUint64(body, ISSUED_AT_AT) as MonotonicMs,
    requestBody: body.subarray(REQUEST_BODY_AT, COOKIE_AT),
    cookie: body.subarray(COOKIE_AT, PROOF_AT),
    proof: body.subarray(PROOF_AT),
  };
}
