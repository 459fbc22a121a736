import { ascii } from '../bytes/bytes.ts';
import { hkdfBlocks } from '../crypto/kdf.ts';

/** Length of a lease id. */
export const LEASE_ID_LENGTH = 8;

const REQUEST_LABEL = ascii('hknock/1 lease');
const ANSWER_LABEL = ascii('hknock/1 lease answer');
const ID_LABEL = ascii('hknock/1 lease id');

/** What both sides derive from a session secret to speak about its grant, one key for each direction (wire.md, section 3.4). */
export interface LeaseKeys {
  readonly request: Uint8Array;
  readonly answer: Uint8Array;
}

/** The keys of a session's lease, 32 bytes each. */
export function deriveLeaseKeys(session: Uint8Array): LeaseKeys {
  const block = hkdfBlocks(session);
  return { request: block(REQUEST_LABEL), answer: block(ANSWER_LABEL) };
}

/** The 8 bytes by which the responder finds the lease. */
export function deriveLeaseId(session: Uint8Array): Uint8Array {
  return hkdfBlocks(session)(ID_LABEL).subarray(0, LEASE_ID_LENGTH);
}
