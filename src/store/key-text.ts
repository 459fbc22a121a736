import { toHex } from '../bytes/bytes.ts';

/** A key's bytes as unpadded base64url (RFC 4648, section 5). */
export function formatKey(key: Uint8Array): string {
  return Buffer.from(key).toString('base64url');
}

/** Reads what {@link formatKey} wrote; null for anything else, such as another length or spare bits that are not zero. */
export function parseKey(text: string, length: number): Uint8Array<ArrayBuffer> | null {
  const key = Uint8Array.from(Buffer.from(text, 'base64url'));
  return key.length === length && formatKey(key) === text ? key : null;
}

/** A tag as 16 lower-case hexadecimal digits, the way packet dumps show it. */
export function formatTag(tag: Uint8Array): string {
  return toHex(tag);
}

/** Reads what {@link formatTag} wrote; null for anything else. */
export function parseTag(text: string): Uint8Array<ArrayBuffer> | null {
  return /^[0-9a-f]{16}$/.test(text) ? Uint8Array.from(Buffer.from(text, 'hex')) : null;
}
