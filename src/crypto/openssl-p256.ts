import { loadOpenssl } from './openssl.ts';
import { sha256 } from './sha256.ts';

/** The X coordinate of what a key of ours and another's point agree on, 32 bytes; null when that is no point of the curve. */
export type Agree = (point: Uint8Array) => Uint8Array | null;

/** Whether a signature in DER is that of a point's owner, by ECDSA with SHA-256. */
export type IsSigned = (point: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/** P-256 by OpenSSL's numbers (`NID_X9_62_prime256v1`). */
const P256 = 415;

const SHARED_LENGTH = 32;

/**
 * Key agreement by OpenSSL; null where it cannot be called. Node's own `computeSecret` checks our key pair anew each time,
 * which takes longer than the agreement, and whoever has the public key can have one made.
 * Of the other's point no more need be checked than that it is on the curve, whose cofactor is 1 (SP 800-56A, section 5.6.2.3.4).
 * The key stays in OpenSSL's memory: for keys that live as long as the process.
 * @param scalar of a private key that has been found good, 32 bytes
 */
export function opensslAgreement(scalar: Uint8Array): Agree | null {
  const openssl = loadOpenssl();
  const key = openssl?.newKey(P256) ?? null;
  if (openssl === null || key === null) return null;
  const group = openssl.groupOf(key);
  const other = openssl.newPoint(group);
  if (other === null || openssl.setScalar(key, scalar, scalar.length) !== 1) return null;
  return (point) => {
    const shared = Buffer.alloc(SHARED_LENGTH);
    const isGood =
      openssl.readPoint(group, other, point, point.length, null) === 1 &&
      openssl.agree(shared, SHARED_LENGTH, other, key, null) === SHARED_LENGTH;
    if (isGood) return shared;
    openssl.clearErrors();
    return null;
  };
}

/** Verification by OpenSSL, without what Node looks up and allocates each time; null where it cannot be called. */
export function opensslVerification(): IsSigned | null {
  const openssl = loadOpenssl();
  // one for all: it takes another point in less time than Node takes to begin
  const key = openssl?.newKey(P256) ?? null;
  if (openssl === null || key === null) return null;
  return (point, message, signature) => {
    const digest = sha256(message);
    const isGood =
      openssl.setPoint(key, point, point.length, null) === 1 &&
      openssl.verify(0, digest, digest.length, signature, signature.length, key) === 1;
    if (!isGood) openssl.clearErrors();
    return isGood;
  };
}
