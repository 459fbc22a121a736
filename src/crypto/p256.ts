import {
  createECDH,
  type ECDH,
  type KeyObject,
  sign as signEcdsa,
  verify as verifyEcdsa,
} from 'node:crypto';
import { concat } from '../bytes/bytes.ts';
import { POINT_LENGTH } from '../bytes/key-lengths.ts';
import type { Entropy } from '../host/entropy.ts';
import {
  type Agree,
  type IsSigned,
  opensslAgreement,
  opensslVerification,
} from './openssl-p256.ts';

/** An ECDSA signature as r and s, 32 bytes each (IEEE P1363). */
export const SIGNATURE_LENGTH = 64;

const SCALAR_LENGTH = 32;
const UNCOMPRESSED = 4;

/** Half of a key agreement on P-256 (SP 800-56A). */
export class AgreementKey {
  readonly #ecdh: ECDH;
  readonly #agree: Agree;

  /** A fresh key. */
  static draw(entropy: Entropy): AgreementKey {
    for (;;) {
      const key = AgreementKey.#of(entropy.bytes(SCALAR_LENGTH));
      // once in four thousand million draws it is not below the order of the group
      if (key !== null) return key;
    }
  }

  /**
   * The key of a private P-256 key, for as many agreements as there are clients.
   * @throws {RangeError} when it is none: whoever loaded it should have looked
   */
  static from(privateKey: KeyObject): AgreementKey {
    const { crv, d } = privateKey.export({ format: 'jwk' });
    const scalar = Buffer.from(d ?? '', 'base64url');
    const key = crv === 'P-256' ? AgreementKey.#of(scalar) : null;
    if (key === null) throw new RangeError('expected a private P-256 key');
    return new AgreementKey(key.#ecdh, opensslAgreement(scalar));
  }

  private constructor(ecdh: ECDH, agree: Agree | null = null) {
    this.#ecdh = ecdh;
    this.#agree = agree ?? ((point) => ecdh.computeSecret(point));
  }

  static #of(scalar: Uint8Array): AgreementKey | null {
    const ecdh = createECDH('prime256v1');
    try {
      ecdh.setPrivateKey(scalar);
    } catch {
      return null;
    }
    return new AgreementKey(ecdh);
  }

  /** Our half, to be sent: 65 bytes. */
  get point(): Uint8Array {
    return this.#ecdh.getPublicKey();
  }

  /** The X coordinate of the shared point, 32 bytes; null when the other half is no point of the curve. */
  agree(point: Uint8Array): Uint8Array | null {
    if (!looksLikePoint(point)) return null;
    try {
      return this.#agree(point);
    } catch {
      return null;
    }
  }
}

/** Whether bytes have the form of a point; that they are one takes arithmetic. */
export function looksLikePoint(bytes: Uint8Array): boolean {
  return bytes.length === POINT_LENGTH && bytes[0] === UNCOMPRESSED;
}

/**
 * The point of a public P-256 key, 65 bytes.
 * @throws {RangeError} when it is another kind of key: whoever loaded it should have looked
 */
export function pointOf(publicKey: KeyObject): Uint8Array {
  const { crv, x, y } = publicKey.export({ format: 'jwk' });
  if (crv !== 'P-256') throw new RangeError('expected a P-256 key');
  const coordinates = [x, y].map((each) => Buffer.from(each ?? '', 'base64url'));
  return Uint8Array.from(Buffer.concat([Uint8Array.of(UNCOMPRESSED), ...coordinates]));
}

/** ECDSA with SHA-256: 64 bytes. */
export function sign(privateKey: KeyObject, message: Uint8Array): Uint8Array {
  return signEcdsa('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
}

/** Whether it is the key's signature over this message, 64 bytes. */
export function isSignedBy(
  publicKey: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return isSignedInDer(publicKey, message, derOf(signature));
}

/** The same for a signature in DER (RFC 3279, section 2.2.3). */
export function isSignedInDer(
  publicKey: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  isSigned = isSigned === undefined ? opensslVerification() : isSigned;
  if (isSigned === null) return verifyEcdsa('sha256', message, publicKey, signature);
  return isSigned(knownPointOf(publicKey), message, signature);
}

/** Null where OpenSSL cannot be called; undefined before the first signature. */
let isSigned: IsSigned | null | undefined;

/** Of keys that have verified something: writing the point out takes a fifth of a verification. */
const points = new WeakMap<KeyObject, Uint8Array>();

function knownPointOf(publicKey: KeyObject): Uint8Array {
  const point = points.get(publicKey) ?? pointOf(publicKey);
  points.set(publicKey, point);
  return point;
}

/** A signature of 64 bytes in DER (RFC 3279, section 2.2.3). */
export function derOf(signature: Uint8Array): Uint8Array {
  const r = derInteger(signature.subarray(0, SCALAR_LENGTH));
  const s = derInteger(signature.subarray(SCALAR_LENGTH));
  return concat(Uint8Array.of(0x30, r.length + s.length), r, s);
}

function derInteger(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = bytes.subarray(first === -1 ? bytes.length - 1 : first);
  const sign = (digits[0] ?? 0) < 0x80 ? [] : [0];
  return concat(Uint8Array.of(0x02, sign.length + digits.length, ...sign), digits);
}
