/** Base64 as fwknop writes it (RFC 4648, section 4) without its `=`. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}

/** Reads what {@link encodeBase64} wrote; null for anything else, such as padding or spare bits that are not zero. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return encodeBase64(bytes) === text ? bytes : null;
}
