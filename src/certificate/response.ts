import { decodeEndpoint, ENDPOINT_LENGTH } from '../bytes/address.ts';
import { POINT_LENGTH } from '../bytes/key-lengths.ts';
import { concat } from '../bytes/bytes.ts';
import { decodeUint64 } from '../bytes/integer.ts';
import { PEER_TAG_LENGTH } from '../bytes/key-lengths.ts';
import { NONCE_LENGTH, open, seal } from '../crypto/aead.ts';
import { COOKIE_LENGTH } from '../guard/cookie-jar.ts';
import type { Repeated } from '../handshake/challenger.ts';
import type { HandshakeKeys } from '../handshake/keys.ts';
import { REQUEST_BODY_LENGTH } from '../handshake/wire/request.ts';
import type { MonotonicMs } from '../units/time.ts';
import { ENVELOPE_LENGTH } from './envelope.ts';

/**
 * Response of the certificate challenge, initiator to responder (certificate.md, section 3.3).
 *
 *     0     8  tag
 *     8    24  nonce
 *    32  1005  seal(K_response, nonce, tag, body)
 *
 *    body    0   24  initiator nonce
 *           24   24  responder nonce
 *           48   18  observed endpoint
 *           66    8  issued at
 *           74   16  cookie
 *           90   65  ephemeral public key
 *          155  834  envelope
 */
export const CERTIFICATE_RESPONSE_LENGTH = 1037;

/** The body of a Request, which tells nothing in this mode, and the end of every statement. */
export const ZERO_BODY: Uint8Array = new Uint8Array(REQUEST_BODY_LENGTH);

const OBSERVED_AT = 2 * NONCE_LENGTH;
const ISSUED_AT_AT = OBSERVED_AT + ENDPOINT_LENGTH;
const COOKIE_AT = ISSUED_AT_AT + 8;
const EPHEMERAL_AT = COOKIE_AT + COOKIE_LENGTH;
const ENVELOPE_AT = EPHEMERAL_AT + POINT_LENGTH;
const BODY_LENGTH = ENVELOPE_AT + ENVELOPE_LENGTH;
const SEALED_AT = PEER_TAG_LENGTH + NONCE_LENGTH;

/** What a Response says beside the nonce of its seal. */
export interface ResponseBody {
  /** `S`, 126 bytes; its zero end does not travel. */
  readonly statement: Uint8Array;
  readonly cookie: Uint8Array;
  readonly ephemeral: Uint8Array;
  readonly envelope: Uint8Array;
}

/** A Response that opened, in the bytes that came. */
export interface OpenedResponse extends Repeated {
  /** All of the body: what the response id is made from. */
  readonly body: Uint8Array;
  readonly ephemeral: Uint8Array;
  readonly envelope: Uint8Array;
}

/** The whole datagram, 1037 bytes. */
export function encodeResponse(
  keys: HandshakeKeys,
  nonce: Uint8Array,
  { statement, cookie, ephemeral, envelope }: ResponseBody,
): Uint8Array {
  const body = concat(statement.subarray(0, COOKIE_AT), cookie, ephemeral, envelope);
  return concat(keys.tag, nonce, seal({ key: keys.response, nonce, ad: keys.tag }, body));
}

/** Opens a datagram of CERTIFICATE_RESPONSE_LENGTH bytes; null when it was not sealed under the lobby's key. */
export function decodeResponse(keys: HandshakeKeys, datagram: Uint8Array): OpenedResponse | null {
  const nonce = datagram.subarray(PEER_TAG_LENGTH, SEALED_AT);
  const body = open({ key: keys.response, nonce, ad: keys.tag }, datagram.subarray(SEALED_AT));
  if (body === null) return null;
  return {
    body,
    statement: [body.subarray(0, COOKIE_AT), ZERO_BODY],
    observed: decodeEndpoint(body, OBSERVED_AT),
    issuedAt: decodeUint64(body, ISSUED_AT_AT) as MonotonicMs,
    cookie: body.subarray(COOKIE_AT, EPHEMERAL_AT),
    ephemeral: body.subarray(EPHEMERAL_AT, ENVELOPE_AT),
    envelope: body.subarray(ENVELOPE_AT, BODY_LENGTH),
  };
}
