import { hash } from 'node:crypto';

/** SHA-256 of a certificate's DER, as lower-case hexadecimal digits: `openssl x509 -fingerprint -sha256` without the colons. */
export function fingerprintOf(der: Uint8Array): string {
  return hash('sha256', der, 'hex');
}
