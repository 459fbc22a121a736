import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { concat } from '../bytes/bytes.ts';

export const SALT_LENGTH = 8;

const CIPHER = 'aes-256-cbc';
const KEY_LENGTH = 32;
const IV_LENGTH = 16;

/**
 * AES-256-CBC under a salted key (fwknop.md, section 3.1).
 * @param salt 8 bytes, fresh for each packet
 */
export function encrypt(key: Uint8Array, salt: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(CIPHER, ...deriveKey(key, salt));
  return concat(cipher.update(plaintext), cipher.final());
}

/** The inverse of {@link encrypt}; null when length or padding is wrong. For authenticated ciphertext only: it tells about the padding. */
export function decrypt(
  key: Uint8Array,
  salt: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array | null {
  const decipher = createDecipheriv(CIPHER, ...deriveKey(key, salt));
  try {
    return concat(decipher.update(ciphertext), decipher.final());
  } catch {
    return null;
  }
}

/** OpenSSL's EVP_BytesToKey with MD5 and one iteration: weak for passphrases, and what fwknop has. */
function deriveKey(key: Uint8Array, salt: Uint8Array): [key: Uint8Array, iv: Uint8Array] {
  let last: Uint8Array = new Uint8Array(0);
  let derived: Uint8Array = last;
  while (derived.length < KEY_LENGTH + IV_LENGTH) {
    last = createHash('md5').update(last).update(key).update(salt).digest();
    derived = concat(derived, last);
  }
  return [derived.subarray(0, KEY_LENGTH), derived.subarray(KEY_LENGTH, KEY_LENGTH + IV_LENGTH)];
}
