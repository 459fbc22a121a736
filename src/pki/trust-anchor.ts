import type { KeyObject } from 'node:crypto';
import { HknockError } from '../errors/hknock-error.ts';
import type { UnixMs } from '../units/time.ts';
import { readCertificateFields } from './certificate-fields.ts';
import { readAll, readDer } from './der.ts';
import { publicKeyOf } from './p256.ts';
import { readSigned } from './signed.ts';
import { isAuthority, keyUsage } from './usage.ts';

/** The one certification authority that is believed. */
export interface TrustAnchor {
  readonly der: Uint8Array;
  /** Its name, DER: the issuer of whatever it signs. */
  readonly subject: Uint8Array;
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly notBefore: UnixMs;
  readonly notAfter: UnixMs;
}

/**
 * Reads the certificate of the authority. Its own signature proves nothing and is not looked at.
 * @throws {HknockError} `config` when it is not that of an authority that can sign certificates and lists of revoked ones
 * with a key on P-256
 */
export function readTrustAnchor(der: Uint8Array): TrustAnchor {
  const anchor = readDer(der, (reader) => {
    const fields = readAll(readSigned(reader).body, readCertificateFields);
    return { fields, usage: keyUsage(fields.extensions), mayIssue: isAuthority(fields.extensions) };
  });
  if (anchor === null) throw fault('it is no X.509 certificate signed by ECDSA with SHA-256');
  const { fields, usage, mayIssue } = anchor;
  const publicKey = publicKeyOf(fields.publicKey);
  if (publicKey === null) throw fault('its key is not on P-256');
  if (!mayIssue) throw fault('it is not that of a certification authority (CA:TRUE)');
  if (usage !== null && !(usage.includes('keyCertSign') && usage.includes('cRLSign'))) {
    throw fault('its key usage is not keyCertSign and cRLSign');
  }
  const { subject, commonName, notBefore, notAfter } = fields;
  return { der, subject, commonName, publicKey, notBefore, notAfter };
}

function fault(what: string): HknockError {
  return new HknockError('config', `this CA certificate cannot be used: ${what}`, {
    hint: "'hknock ca init' makes one that can",
  });
}
