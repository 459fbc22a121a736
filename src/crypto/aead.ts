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
export function seal(under: Seal, plaintext: Uint8Array): Uint8Array {
  lay(under, plaintext);
  const { length } = plaintext;
  encrypt(OUTPUT, NONE, INPUT, length, 0, AD, under.ad.length, 0, NONE, NONCE, KEY);
  return wasm.HEAPU8.slice(OUTPUT, OUTPUT + length + TAG_LENGTH);
}

/** The plaintext, or null when anything at all is wrong. */
export function open(under: Seal, sealed: Uint8Array): Uint8Array | null {
  if (sealed.length < TAG_LENGTH) return null;
  lay(under, sealed);
  const { length } = sealed;
  const failed = decrypt(OUTPUT, NONE, NONE, INPUT, length, 0, AD, under.ad.length, 0, NONCE, KEY);
  return failed === 0 ? wasm.HEAPU8.slice(OUTPUT, OUTPUT + length - TAG_LENGTH) : null;
}

/** What the library has below its wrappers: these throw an error, stack and all, for each datagram that does not open. */
interface Wasm {
  readonly HEAPU8: Uint8Array;
  _malloc(length: number): number;
  readonly _crypto_aead_xchacha20poly1305_ietf_encrypt: (...args: readonly number[]) => number;
  readonly _crypto_aead_xchacha20poly1305_ietf_decrypt: (...args: readonly number[]) => number;
}

const wasm = (sodium as unknown as { readonly libsodium: Wasm }).libsodium;
const encrypt = wasm._crypto_aead_xchacha20poly1305_ietf_encrypt;
const decrypt = wasm._crypto_aead_xchacha20poly1305_ietf_decrypt;

/** More than any message of ours, and than what any is bound to. */
const MAX_TEXT = 2048;
const MAX_AD = 256;

// places in the library's memory, for all calls
const NONE = 0;
const KEY = wasm._malloc(KEY_LENGTH);
const NONCE = wasm._malloc(NONCE_LENGTH);
const AD = wasm._malloc(MAX_AD);
const INPUT = wasm._malloc(MAX_TEXT);
const OUTPUT = wasm._malloc(MAX_TEXT + TAG_LENGTH);

function lay({ key, nonce, ad }: Seal, text: Uint8Array): void {
  const fits = ad.length <= MAX_AD && text.length <= MAX_TEXT;
  if (key.length !== KEY_LENGTH || nonce.length !== NONCE_LENGTH || !fits) {
    throw new RangeError('this cannot be sealed');
  }
  const memory = wasm.HEAPU8;
  memory.set(key, KEY);
  memory.set(nonce, NONCE);
  memory.set(ad, AD);
  memory.set(text, INPUT);
}
