import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { ascii, concat } from '../bytes/bytes.ts';
import { hkdfBlocks } from '../crypto/kdf.ts';
import { Mac } from '../crypto/mac.ts';
import { AgreementKey, pointOf } from '../crypto/p256.ts';
import type { Entropy } from '../host/entropy.ts';
import type { SealedRequest } from './datagram.ts';

const CIPHER = 'aes-128-cbc';
/** Of the key, and of the initialisation vector. */
const CIPHER_LENGTH = 16;

/** The salt of HKDF: these digits themselves, not the bytes that they stand for (sknock.md, section 4). */
const SALT = ascii(
  '54686579206c6976696e272069742075702061742074686520486f74656c' +
    '2043616c69666f726e69610a576861742061206e69636520737572707269' +
    '73652028776861742061206e696365207375727072697365290a4272696e' +
    '6720796f757220616c69626973',
);

const labels = {
  key: ascii('knock'),
  iv: ascii('iv0AES128CBC'),
  session: ascii('hknock session'),
};

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
  readonly #key: AgreementKey;

  /** @param privateKey on P-256 */
  constructor(privateKey: KeyObject) {
    this.#key = AgreementKey.from(privateKey);
  }

  /** Costs one Diffie-Hellman for whatever a stranger sends: nothing in the protocol tells forgeries apart before. */
  open({ ciphertext, point }: SealedRequest): Opened | 'point' | 'padding' {
    const shared = this.#key.agree(point);
    if (shared === null) return 'point';
    const { key, iv, sessionSecret } = deriveSecrets(shared);
    try {
      const decipher = createDecipheriv(CIPHER, key, iv);
      return { plaintext: concat(decipher.update(ciphertext), decipher.final()), sessionSecret };
    } catch {
      return 'padding';
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
  const ephemeral = AgreementKey.draw(entropy);
  const shared = ephemeral.agree(pointOf(serverKey));
  if (shared === null) throw new RangeError("the server's public key is no point of the curve");
  const { key, iv } = deriveSecrets(shared);
  const cipher = createCipheriv(CIPHER, key, iv);
  return {
    ciphertext: concat(cipher.update(plaintext), cipher.final()),
    point: ephemeral.point,
  };
}

function deriveSecrets(shared: Uint8Array) {
  const expand = hkdfBlocks(extract.of(shared));
  return {
    key: expand(labels.key).subarray(0, CIPHER_LENGTH),
    iv: expand(labels.iv).subarray(0, CIPHER_LENGTH),
    sessionSecret: expand(labels.session),
  };
}
