import { decodeEndpoint, encodeEndpoint, ENDPOINT_LENGTH } from '../../bytes/address.ts';
import { concat, isZero } from '../../bytes/bytes.ts';
import { PEER_TAG_LENGTH } from '../../bytes/key-lengths.ts';
import { NONCE_LENGTH, open, seal } from '../../crypto/aead.ts';
import type { Admission, Breadth } from '../../units/admission.ts';
import type { ServiceName } from '../../units/names.ts';
import type { Endpoint } from '../../units/network.ts';
import type { HandshakeKeys } from '../keys.ts';
import { decodeAdmission, encodeAdmission } from './admission.ts';
import { decodeBreadth, encodeBreadth } from './breadth.ts';
import { decodeServiceName, encodeServiceName, SERVICE_NAME_LENGTH } from './service-name.ts';

/**
 * Request, initiator to responder (wire.md, section 4.1).
 *
 *     0   8  peer tag
 *     8  24  initiator nonce
 *    32  68  seal(K_request, initiator nonce, peer tag, body)
 *
 *    body   0  18  claimed endpoint, all zero when withheld
 *          18  32  service name
 *          50   1  admission, 0 for the policy's choice
 *          51   1  breadth, 0 for the observed address, 1 for its prefix
 */
export const REQUEST_LENGTH = 100;

export const REQUEST_BODY_LENGTH = 52;

const SERVICE_AT = ENDPOINT_LENGTH;
const ADMISSION_AT = SERVICE_AT + SERVICE_NAME_LENGTH;
const BREADTH_AT = ADMISSION_AT + 1;
const SEALED_AT = PEER_TAG_LENGTH + NONCE_LENGTH;

/** What the initiator wants. */
export interface RequestBody {
  readonly claimed: Endpoint | null;
  readonly service: ServiceName;
  readonly admission: Admission | null;
  readonly breadth?: Breadth;
}

/** A Request that opened; the body is kept as it came, since cookie and proof cover those very bytes. */
export interface OpenedRequest {
  readonly nonce: Uint8Array;
  readonly body: Uint8Array;
}

/** 52 bytes. */
export function encodeRequestBody(wish: RequestBody): Uint8Array {
  const { claimed, service, admission, breadth } = wish;
  const body = new Uint8Array(REQUEST_BODY_LENGTH);
  if (claimed !== null) encodeEndpoint(claimed, body, 0);
  encodeServiceName(service, body, SERVICE_AT);
  body[ADMISSION_AT] = encodeAdmission(admission);
  body[BREADTH_AT] = encodeBreadth(breadth);
  return body;
}

/** Reads a Request's body; null when a field is not well formed. */
export function decodeRequestBody(body: Uint8Array): RequestBody | null {
  const service = decodeServiceName(body, SERVICE_AT);
  const admission = decodeAdmission(body[ADMISSION_AT]);
  const breadth = decodeBreadth(body[BREADTH_AT]);
  if (service === null || admission === undefined || breadth === null) return null;
  const withheld = isZero(body, 0, ENDPOINT_LENGTH);
  return { claimed: withheld ? null : decodeEndpoint(body, 0), service, admission, ...breadth };
}

/**
 * Whether every field of a body is well formed. A Request needs no more: its answer repeats the bytes, and this is the one
 * path that a flood of replayed Requests can make us walk.
 */
export function isRequestBody(body: Uint8Array): boolean {
  return (
    decodeServiceName(body, SERVICE_AT) !== null &&
    decodeAdmission(body[ADMISSION_AT]) !== undefined &&
    decodeBreadth(body[BREADTH_AT]) !== null
  );
}

/** The whole datagram, 100 bytes. */
export function encodeRequest(
  keys: HandshakeKeys,
  nonce: Uint8Array,
  body: Uint8Array,
): Uint8Array {
  return concat(keys.tag, nonce, seal({ key: keys.request, nonce, ad: keys.tag }, body));
}

/** Opens a datagram of REQUEST_LENGTH bytes; null when it was not sealed under this peer's key. */
export function decodeRequest(keys: HandshakeKeys, datagram: Uint8Array): OpenedRequest | null {
  const nonce = datagram.subarray(PEER_TAG_LENGTH, SEALED_AT);
  const body = open({ key: keys.request, nonce, ad: keys.tag }, datagram.subarray(SEALED_AT));
  return body === null ? null : { nonce, body };
}
