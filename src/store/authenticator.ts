import { generateSync, generateURI, ScureBase32Plugin } from 'otplib';
import type { UnixMs } from '../units/time.ts';

/** Of what RFC 6238 leaves open: what authenticators offer, with the hash of sequence.md. */
const options = { strategy: 'totp', algorithm: 'sha256', digits: 6, period: 30 } as const;

/** The `otpauth:` URI that an authenticator reads from a QR code. As secret as the secret. */
export function formatOtpauthUri(
  secret: Uint8Array,
  { issuer, label }: { readonly issuer: string; readonly label: string },
): string {
  const base32 = new ScureBase32Plugin().encode(secret, { padding: false });
  return generateURI({ ...options, issuer, label, secret: base32 });
}

/** What an authenticator shows at a moment. */
export function authenticatorCode(secret: Uint8Array, unixMs: UnixMs): string {
  return generateSync({ ...options, secret, epoch: Math.floor(unixMs / 1000) });
}
