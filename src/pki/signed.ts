import { type KeyObject, verify } from 'node:crypto';
import { toHex } from '../bytes/bytes.ts';
import { DerFault, type DerReader, tags } from './der.ts';
import { readOctetBits } from './der-values.ts';

/** `ecdsa-with-SHA256` without parameters (RFC 5758, section 3.2). */
const ECDSA_SHA256 = '300a06082a8648ce3d040302';

/** What certificates, requests and lists of revoked ones have in common: bytes, and a signature over them. */
export interface Signed {
  /** The bytes that are signed. */
  readonly body: Uint8Array;
  /** How, as DER. */
  readonly algorithm: Uint8Array;
  readonly signature: Uint8Array;
}

/** @throws {DerFault} */
export function readSigned(reader: DerReader): Signed {
  return reader.inside(tags.sequence, (signed) => {
    const body = signed.next(tags.sequence).bytes;
    const algorithm = signed.next(tags.sequence).bytes;
    return { body, algorithm, signature: readOctetBits(signed) };
  });
}

/** The algorithm as the signed part names it, so that nobody can exchange it outside. @throws {DerFault} */
export function readAlgorithm(reader: DerReader): void {
  if (!isEcdsaSha256(reader.next(tags.sequence).bytes)) throw new DerFault('algorithm');
}

function isEcdsaSha256(algorithm: Uint8Array): boolean {
  return toHex(algorithm) === ECDSA_SHA256;
}

/** Whether the key's owner has signed it, by ECDSA with SHA-256. */
export function isSignedBy({ body, algorithm, signature }: Signed, key: KeyObject): boolean {
  return isEcdsaSha256(algorithm) && verify('sha256', body, key, signature);
}
