import { createHash } from 'node:crypto';
import { hmacTypes, type HmacType } from '../units/hmac-type.ts';
import { encodeBase64 } from './base64.ts';

/** The digest that a plaintext ends with: it names no type, so any that there is may fit. */
export function isDigestOf(text: string, digest: string): boolean {
  return hmacTypes.some((type) => digestOf(text, type) === digest);
}

/** Of the type that fwknop has for its default if none is said. */
export function digestOf(text: string, type: HmacType = 'sha256'): string {
  return encodeBase64(createHash(type).update(text, 'utf8').digest());
}
