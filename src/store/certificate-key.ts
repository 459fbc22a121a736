import { createPrivateKey, type KeyObject } from 'node:crypto';
import { MAX_SENT_CERTIFICATE_LENGTH, POINT_LENGTH } from '../bytes/key-lengths.ts';

/** What a profile has for knocks with a certificate. */
export interface CertificateKey {
  /** The client's, DER. */
  readonly certificate: Uint8Array;
  /** The certificate's, on P-256. */
  readonly privateKey: KeyObject;
  /** The server's public key, 65 bytes. */
  readonly serverPoint: Uint8Array;
}

/** The three one after the other in base64url, the private key as PKCS#8. As secret as that. */
export function formatCertificateKey({
  certificate,
  privateKey,
  serverPoint,
}: CertificateKey): string {
  const key = privateKey.export({ format: 'der', type: 'pkcs8' });
  return [certificate, key, serverPoint]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join(' ');
}

/** Reads what {@link formatCertificateKey} wrote; null for anything else. */
export function parseCertificateKey(text: string): CertificateKey | null {
  const [certificate, key, serverPoint, ...others] = text.split(' ').map(decode);
  if (!certificate || !key || !serverPoint || others.length > 0) return null;
  if (certificate.length > MAX_SENT_CERTIFICATE_LENGTH || serverPoint.length !== POINT_LENGTH)
    return null;
  const privateKey = parseKey(key);
  return privateKey === null ? null : { certificate, privateKey, serverPoint };
}

function decode(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length > 0 && bytes.toString('base64url') === text ? Uint8Array.from(bytes) : null;
}

function parseKey(der: Uint8Array): KeyObject | null {
  try {
    const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : null;
  } catch {
    return null;
  }
}
