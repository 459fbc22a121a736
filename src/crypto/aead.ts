import sodium from 'libsodium-wrappers';

// the library is WebAssembly: it must have been compiled before the first datagram comes
await sodium.ready;

export const KEY_LENGTH = 32;
export const NONCE_LENGTH = 24;
export const TAG_LENGTH = 16;

/** What one message is sealed under. Nonces are long enough to be drawn at random for each message. */
export interface Seal {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 24 bytes, never used before with this key for another plaintext. */
  readonly nonce: Uint8Array;
  /** Authenticated, not sent. */
  readonly ad: Uint8Array;
}

/** AEAD_XChaCha20_Poly1305 (draft-irtf-cfrg-xchacha-03): ciphertext, then 16 bytes of tag. */
export function seal({ key, nonce, ad }: Seal, plaintext: Uint8Array): Uint8Array {
  return sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, ad, null, nonce, key);
}

/** The plaintext, or null when anything at all is wrong. */
export function open({ key, nonce, ad }: Seal, sealed: Uint8Array): Uint8Array | null {
  try {
    return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, sealed, ad, nonce, key);
  } catch {
    return null;
  }
}
