import { concat, isZero } from '../../bytes/bytes.ts';
import { decodeUint64, encodeUint64 } from '../../bytes/integer.ts';
import { PEER_TAG_LENGTH } from '../../bytes/key-lengths.ts';
import { NONCE_LENGTH, open, seal } from '../../crypto/aead.ts';
import { type LeaseOperation, leaseOperations } from '../../units/lease.ts';
import { LEASE_ID_LENGTH } from '../lease-keys.ts';

/**
 * Lease, initiator to responder (wire.md, section 4.5).
 *
 *     0   8  peer tag
 *     8   8  lease id
 *    16  24  nonce
 *    40  32  seal(L_request, nonce, peer tag ‖ lease id, body)
 *
 *    body   0  8  sequence number, at least 1
 *           8  1  operation: 1 renew, 2 close
 *           9  7  zero
 */
export const LEASE_LENGTH = 72;

const BODY_LENGTH = 16;
const OPERATION_AT = 8;
const NONCE_AT = PEER_TAG_LENGTH + LEASE_ID_LENGTH;
const SEALED_AT = NONCE_AT + NONCE_LENGTH;

/** What the initiator wants. */
export interface LeaseBody {
  /** Larger in every new message of a lease. */
  readonly sequence: number;
  readonly operation: LeaseOperation;
}

/** Peer tag and lease id: whose lease a message is about. */
export interface LeaseName {
  readonly tag: Uint8Array;
  readonly id: Uint8Array;
}

/** The whole datagram, 72 bytes. */
export function encodeLease(
  { tag, id }: LeaseName,
  { key, nonce }: { readonly key: Uint8Array; readonly nonce: Uint8Array },
  { sequence, operation }: LeaseBody,
): Uint8Array {
  const body = new Uint8Array(BODY_LENGTH);
  encodeUint64(sequence, body, 0);
  body[OPERATION_AT] = leaseOperations.indexOf(operation) + 1;
  const name = concat(tag, id);
  return concat(name, nonce, seal({ key, nonce, ad: name }, body));
}

/** The lease id of a datagram of LEASE_LENGTH bytes. */
export function leaseIdOf(datagram: Uint8Array): Uint8Array {
  return datagram.subarray(PEER_TAG_LENGTH, NONCE_AT);
}

/** Opens a datagram of LEASE_LENGTH bytes; null when it was not sealed under this key. */
export function openLease(key: Uint8Array, datagram: Uint8Array): Uint8Array | null {
  const nonce = datagram.subarray(NONCE_AT, SEALED_AT);
  const ad = datagram.subarray(0, NONCE_AT);
  return open({ key, nonce, ad }, datagram.subarray(SEALED_AT));
}

/** Reads the body; null when a field is not well formed. */
export function decodeLeaseBody(body: Uint8Array): LeaseBody | null {
  const sequence = decodeUint64(body, 0);
  const operation = leaseOperations[(body[OPERATION_AT] ?? 0) - 1];
  if (sequence === 0 || !Number.isSafeInteger(sequence)) return null;
  if (operation === undefined || !isZero(body, OPERATION_AT + 1)) return null;
  return { sequence, operation };
}
