import { concat, isZero } from '../../bytes/bytes.ts';
import { decodeUint32, encodeUint32, encodeUint64 } from '../../bytes/integer.ts';
import { NONCE_LENGTH, open, seal } from '../../crypto/aead.ts';
import { type LeaseOutcome, leaseStatuses } from '../../units/lease.ts';
import type { DurationMs } from '../../units/time.ts';
import type { LeaseName } from './lease.ts';

/**
 * Lease Answer, responder to initiator (wire.md, section 4.6). Shorter than the Lease it answers (P3).
 *
 *     0  24  nonce
 *    24  24  seal(L_answer, nonce, peer tag ‖ lease id ‖ sequence number, body)
 *
 *    body   0  1  status: 0 done, 1 over, 2 refused, 3 failed
 *           1  3  zero
 *           4  4  lifetime, ms, after a renewal; else 0
 */
export const LEASE_ANSWER_LENGTH = 48;

const BODY_LENGTH = 8;
const LIFETIME_AT = 4;

/** Which Lease an answer is to. */
export interface Answered extends LeaseName {
  readonly sequence: number;
}

/** The whole datagram, 48 bytes. */
export function encodeLeaseAnswer(
  to: Answered,
  { key, nonce }: { readonly key: Uint8Array; readonly nonce: Uint8Array },
  { status, lifetimeMs }: LeaseOutcome,
): Uint8Array {
  const body = new Uint8Array(BODY_LENGTH);
  body[0] = leaseStatuses.indexOf(status);
  encodeUint32(lifetimeMs, body, LIFETIME_AT);
  return concat(nonce, seal({ key, nonce, ad: nameOf(to) }, body));
}

/** Opens the answer to one Lease; null when the datagram is anything else. */
export function decodeLeaseAnswer(
  to: Answered,
  key: Uint8Array,
  datagram: Uint8Array,
): LeaseOutcome | null {
  if (datagram.length !== LEASE_ANSWER_LENGTH) return null;
  const nonce = datagram.subarray(0, NONCE_LENGTH);
  const body = open({ key, nonce, ad: nameOf(to) }, datagram.subarray(NONCE_LENGTH));
  if (body === null) return null;
  const status = leaseStatuses[body[0] ?? 0];
  const lifetimeMs = decodeUint32(body, LIFETIME_AT) as DurationMs;
  if (status === undefined || !isZero(body, 1, LIFETIME_AT)) return null;
  return status !== 'done' && lifetimeMs !== 0 ? null : { status, lifetimeMs };
}

function nameOf({ tag, id, sequence }: Answered): Uint8Array {
  const number = new Uint8Array(8);
  encodeUint64(sequence, number, 0);
  return concat(tag, id, number);
}
