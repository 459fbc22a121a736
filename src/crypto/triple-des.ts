import { createCipheriv, createDecipheriv } from 'node:crypto';

export const TRIPLE_DES_BLOCK_LENGTH = 8;

const CIPHER = 'des-ede3-ecb';

/**
 * Triple DES on single blocks (NIST SP 800-67): the one keyed permutation of 64 bits that OpenSSL still has without its legacy
 * provider. For messages of one block and few of them under a key, and nothing else.
 */
export class TripleDes {
  readonly #key: Uint8Array;

  /** @param key 24 bytes */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** @param block 8 bytes */
  encrypt(block: Uint8Array): Uint8Array {
    return createCipheriv(CIPHER, this.#key, null).setAutoPadding(false).update(block);
  }

  /** @param block 8 bytes */
  decrypt(block: Uint8Array): Uint8Array {
    // without padding there is nothing to check, so any block is the encryption of one
    const decipher = createDecipheriv(CIPHER, this.#key, null).setAutoPadding(false);
    return decipher.update(block);
  }
}
