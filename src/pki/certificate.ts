import type { KeyObject } from 'node:crypto';
import { equalConstantTime } from '../crypto/mac.ts';
import { certificatePeerName, type PeerName } from '../units/names.ts';
import type { ServicePort } from '../units/network.ts';
import type { UnixMs } from '../units/time.ts';
import { readAuthorisation } from './authorisation.ts';
import { type CertificateFields, readCertificateFields } from './certificate-fields.ts';
import { readDer } from './der.ts';
import { extensionIds, type Extensions } from './extensions.ts';
import { fingerprintOf } from './fingerprint.ts';
import { publicKeyOf } from './p256.ts';
import { isSignedBy, readSigned } from './signed.ts';
import type { TrustAnchor } from './trust-anchor.ts';
import { isAuthority, isMeantFor, keyUsage } from './usage.ts';

/** A certificate that the authority has signed, and what it allows. Says nothing about the time or about revocation. */
export interface ClientCertificate {
  readonly der: Uint8Array;
  /** SHA-256 of `der`, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** Lower-case hexadecimal, two digits a byte. */
  readonly serial: string;
  /** The common name, for people; empty when there is none. Any text: escape it. */
  readonly subject: string;
  /**
   * Made from the serial number, which the authority gives once: a certificate's signature can be changed into another
   * that is as good, so that one certificate may have two fingerprints. And a list of revoked certificates names serial numbers only.
   */
  readonly peer: PeerName;
  /** On P-256. */
  readonly publicKey: KeyObject;
  /** At least one. */
  readonly authorised: readonly ServicePort[];
  /** While both the certificate and the authority's own are valid; both ends included. */
  readonly notBefore: UnixMs;
  readonly notAfter: UnixMs;
}

/** Why a certificate is refused, in the order of the checks; logged and counted, never sent. */
export type CertificateFault =
  | 'certificate-malformed'
  | 'certificate-untrusted'
  | 'certificate-wrong-key'
  | 'certificate-wrong-usage'
  | 'certificate-no-authorisation'
  | 'certificate-bad-authorisation'
  | 'certificate-old-authorisation'
  | 'certificate-expired'
  | 'certificate-not-yet-valid'
  | 'certificate-revoked'
  | 'crl-stale';

/** Longest certificate that is looked at, in bytes of DER. */
export const MAX_CERTIFICATE_LENGTH = 2048;

/**
 * Reads a certificate of a client. Its signature is verified before all else is looked at, so that strangers reach
 * no more than that. Never throws.
 */
export function readClientCertificate(
  der: Uint8Array,
  anchor: TrustAnchor,
): ClientCertificate | CertificateFault {
  if (der.length > MAX_CERTIFICATE_LENGTH) return 'certificate-malformed';
  const own = Uint8Array.from(der);
  const signed = readDer(own, readSigned);
  if (signed === null) return 'certificate-malformed';
  if (!isSignedBy(signed, anchor.publicKey)) return 'certificate-untrusted';
  const read = readDer(signed.body, (reader) => judge(readCertificateFields(reader), anchor));
  if (read === null) return 'certificate-malformed';
  return typeof read === 'string' ? read : { der: own, fingerprint: fingerprintOf(own), ...read };
}

type Judged = Omit<ClientCertificate, 'der' | 'fingerprint'>;

/** @throws {DerFault} when an extension is not what it should be */
function judge(fields: CertificateFields, anchor: TrustAnchor): Judged | CertificateFault {
  const { serial, commonName, extensions } = fields;
  // the key is the authority's, but the name is another's
  if (!equalConstantTime(fields.issuer, anchor.subject)) return 'certificate-untrusted';
  const publicKey = publicKeyOf(fields.publicKey);
  if (publicKey === null) return 'certificate-wrong-key';
  if (!isForClients(extensions)) return 'certificate-wrong-usage';
  const authorised =
    extensions.read(extensionIds.subjectAltName, readAuthorisation) ??
    'certificate-no-authorisation';
  if (typeof authorised === 'string') return authorised;
  return {
    serial,
    subject: commonName,
    peer: certificatePeerName(serial),
    publicKey,
    authorised,
    notBefore: Math.max(fields.notBefore, anchor.notBefore) as UnixMs,
    notAfter: Math.min(fields.notAfter, anchor.notAfter) as UnixMs,
  };
}

const known: readonly string[] = [
  extensionIds.basicConstraints,
  extensionIds.keyUsage,
  extensionIds.extendedKeyUsage,
  extensionIds.subjectAltName,
];

function isForClients(extensions: Extensions): boolean {
  const usage = keyUsage(extensions) ?? [];
  return (
    // what is critical and not understood may forbid the very use (RFC 5280, section 4.2)
    extensions.critical.every((id) => known.includes(id)) &&
    !isAuthority(extensions) &&
    usage.includes('digitalSignature') &&
    usage.includes('keyAgreement') &&
    isMeantFor(extensions, 'clientAuth')
  );
}
