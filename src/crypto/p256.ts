import {
  createECDH,
  type ECDH,
  type KeyObject,
  sign as signEcdsa,
  verify as verifyEcdsa,
} from 'node:crypto';
import type { Entropy } from '../host/entropy.ts';

/** A point, SEC 1 uncompressed: 4, X, Y. */
export const POINT_LENGTH = 65;

/** An ECDSA signature as r and s, 32 bytes each (IEEE P1363). */
export const SIGNATURE_LENGTH = 64;

const SCALAR_LENGTH = 32;
const UNCOMPRESSED = 4;

/** Half of a key agreement on P-256 (SP 800-56A). */
export class AgreementKey {
  readonly #ecdh: ECDH;

  /** A fresh key. */
  static draw(entropy: Entropy): AgreementKey {
    for (;;) {
      const key = AgreementKey.#of(entropy.bytes(SCALAR_LENGTH));
      // once in four thousand million draws it is not below the order of the group
      if (key !== null) return key;
    }
  }

  /**
   * The key of a private P-256 key.
   * @throws {RangeError} when it is none: whoever loaded it should have looked
   */
  static from(privateKey: KeyObject): AgreementKey {
    const { crv, d } = privateKey.export({ format: 'jwk' });
    const key = crv === 'P-256' ? AgreementKey.#of(Buffer.from(d ?? '', 'base64url')) : null;
    if (key === null) throw new RangeError('expected a private P-256 key');
    return key;
  }

  private constructor(ecdh: ECDH) {
    this.#ecdh = ecdh;
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
      return this.#ecdh.computeSecret(point);
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

/** Whether it is the key's signature over this message. */
export function isSignedBy(
  publicKey: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifyEcdsa('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
}
