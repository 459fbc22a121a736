import { createHmac } from 'node:crypto';
import { ascii, concat } from '../bytes/bytes.ts';
import { equalConstantTime } from '../crypto/mac.ts';
import type { HmacType } from '../units/hmac-type.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { decrypt, encrypt, SALT_LENGTH } from './cipher.ts';

/** What a peer of fwknop proves itself with. */
export interface SpaKeys {
  /** 1 to 32 bytes */
  readonly key: Uint8Array;
  /** 1 to 128 bytes */
  readonly hmacKey: Uint8Array;
  readonly hmacType: HmacType;
}

/** Shortest packet of any client, in characters. */
export const MIN_PACKET_LENGTH = 140;

const magic = ascii('Salted__');

/** What the text of every encrypted message begins with: the first 60 bits of `Salted__`. Not sent. */
const PREFIX = 'U2FsdGVkX1';

/** Characters of the base64 text of each HMAC. */
const hmacLengths: Readonly<Record<HmacType, number>> = {
  md5: 22,
  sha1: 27,
  sha256: 43,
  sha384: 64,
  sha512: 86,
  'sha3-256': 43,
  'sha3-512': 86,
};

/**
 * Encrypts and authenticates a plaintext (fwknop.md, section 3): `E[10:] ‖ b64(HMAC(E))`, E being the base64 text of
 * `Salted__ ‖ salt ‖ ciphertext`.
 */
export function sealPacket(
  { key, hmacKey, hmacType }: SpaKeys,
  salt: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const text = encodeBase64(concat(magic, salt, encrypt(key, salt, plaintext)));
  const mac = encodeBase64(hmacOf(text, hmacKey, hmacType));
  return ascii(text.slice(PREFIX.length) + mac);
}

/** Whether a text can be a packet at all: base64 letters, and the beginning that is not sent left out. */
export function isPacketText(text: string): boolean {
  return /^[A-Za-z0-9+/]+$/.test(text) && !text.startsWith(PREFIX);
}

/**
 * Verifies the HMAC over the characters that came, in constant time.
 * @returns the encrypted text with its beginning, or null when the keys are others
 */
export function verifyPacket(
  { hmacKey, hmacType }: Omit<SpaKeys, 'key'>,
  packet: string,
): string | null {
  const macAt = packet.length - hmacLengths[hmacType];
  if (macAt <= 0) return null;
  const text = PREFIX + packet.slice(0, macAt);
  const mac = encodeBase64(hmacOf(text, hmacKey, hmacType));
  // text against text: so no two packets differ only in spare bits of the HMAC's last character
  return equalConstantTime(ascii(mac), ascii(packet.slice(macAt))) ? text : null;
}

/** Decrypts what {@link verifyPacket} gave; null when it is no ciphertext of the key. */
export function openPacket({ key }: Pick<SpaKeys, 'key'>, text: string): Uint8Array | null {
  const bytes = decodeBase64(text);
  if (bytes === null || !Buffer.from(bytes.subarray(0, magic.length)).equals(magic)) return null;
  const cipherAt = magic.length + SALT_LENGTH;
  return decrypt(key, bytes.subarray(magic.length, cipherAt), bytes.subarray(cipherAt));
}

function hmacOf(text: string, key: Uint8Array, type: HmacType): Uint8Array {
  return createHmac(type, key).update(text, 'ascii').digest();
}
