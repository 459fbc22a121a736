import type { SecureContextOptions } from 'node:tls';

/**
 * What both ends speak and nothing else (gate.md, section 3): TLS 1.3 with a suite of SHA-256, which external keys of OpenSSL are for, and with
 * an ephemeral exchange, so that a key that becomes known later opens no recorded connection.
 */
export const tlsParameters = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256',
  ecdhCurve: 'X25519',
} as const satisfies SecureContextOptions;
