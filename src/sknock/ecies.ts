import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  type ECDH,
  type KeyObject,
} from 'node:crypto';
import { ascii, concat } from '../bytes/bytes.ts';
import { Mac } from '../crypto/mac.ts';
import type { Entropy } from '../host/entropy.ts';
import type { SealedRequest } from './datagram.ts';

const CURVE = 'prime256v1';
const CIPHER = 'aes-128-cbc';
/** Of the key, and of the initialisation vector. */
const CIPHER_LENGTH = 16;
const SCALAR_LENGTH = 32;

/** The salt of HKDF: these digits themselves, not the bytes that they stand for (sknock.md, section 4). */
const SALT = ascii(
  '54686579206c6976696e272069742075702061742074686520486f74656c' +
    '2043616c69666f726e69610a576861742061206e69636520737572707269' +
    '73652028776861742061206e696365207375727072697365290a4272696e' +
    '6720796f757220616c69626973',
);

/** HKDF-Extract (RFC 5869, section 2.2) with that salt. */
const extract = new Mac(SALT);

/** A request that has been opened; it may be anybody's still. */
export interface Opened {
  readonly plaintext: Uint8Array;
  /** 32 bytes that only the sender and this server can know. */
  readonly sessionSecret: Uint8Array;
}

/** Opens what was sealed for one server. */
export class RequestOpener {
  readonly #ecdh: ECDH;

  /** @param privateKey on P-256 */
  constructor(privateKey: KeyObject) {
    this.#ecdh = createECDH(CURVE);
    this.#ecdh.setPrivateKey(scalarOf(privateKey));
  }

  /** Costs one Diffie-Hellman for whatever a stranger sends: nothing in the protocol tells forgeries apart before. */
  open({ ciphertext, point }: SealedRequest): Opened | 'point' | 'padding' {
    const shared = this.#agree(point);
    if (shared === null) return 'point';
    const { key, iv, sessionSecret } = deriveSecrets(shared);
    try {
      const decipher = createDecipheriv(CIPHER, key, iv);
      return { plaintext: concat(decipher.update(ciphertext), decipher.final()), sessionSecret };
    } catch {
      return 'padding';
    }
  }

  // OpenSSL refuses what is not a point of the curve, and infinity
  #agree(point: Uint8Array): Uint8Array | null {
    try {
      return this.#ecdh.computeSecret(point);
    } catch {
      return null;
    }
  }
}

/**
 * Seals a request for a server.
 * @param serverKey on P-256
 */
export function sealRequest(
  plaintext: Uint8Array,
  { serverKey, entropy }: { readonly serverKey: KeyObject; readonly entropy: Entropy },
): SealedRequest {
  const ephemeral = drawKey(entropy);
  const { key, iv } = deriveSecrets(ephemeral.computeSecret(pointOf(serverKey)));
  const cipher = createCipheriv(CIPHER, key, iv);
  return {
    ciphertext: concat(cipher.update(plaintext), cipher.final()),
    point: ephemeral.getPublicKey(),
  };
}

function deriveSecrets(shared: Uint8Array) {
  const expand = new Mac(extract.of(shared));
  // the first block of HKDF-Expand (RFC 5869, section 2.3)
  const derive = (info: string): Uint8Array => expand.of(ascii(info), Uint8Array.of(1));
  return {
    key: derive('knock').subarray(0, CIPHER_LENGTH),
    iv: derive('iv0AES128CBC').subarray(0, CIPHER_LENGTH),
    sessionSecret: derive('hknock session'),
  };
}

// one draw in four thousand million is no scalar of the curve
function drawKey(entropy: Entropy): ECDH {
  const ecdh = createECDH(CURVE);
  for (;;) {
    try {
      ecdh.setPrivateKey(entropy.bytes(SCALAR_LENGTH));
      return ecdh;
    } catch {
      // draw again
    }
  }
}

function scalarOf(privateKey: KeyObject): Buffer {
  const { crv, d } = privateKey.export({ format: 'jwk' });
  if (crv !== 'P-256' || d === undefined) throw new TypeError('the key is not on P-256');
  return Buffer.from(d, 'base64url');
}

function pointOf(publicKey: KeyObject): Uint8Array {
  const { crv, x, y } = publicKey.export({ format: 'jwk' });
  if (crv !== 'P-256' || x === undefined || y === undefined) {
    throw new TypeError('the key is not on P-256');
  }
  return concat(Uint8Array.of(0x04), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url'));
}
