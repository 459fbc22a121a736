import 'reflect-metadata';
import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { HknockError } from '../errors/hknock-error.ts';
import type { ServicePort } from '../units/network.ts';
import type { UnixMs } from '../units/time.ts';
import { encodeAuthorisation, encodeInteger } from './der-writer.ts';
import { extensionIds } from './extensions.ts';
import { publicKeyOf } from './p256.ts';
import { purposes } from './usage.ts';

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Longest certificate that is issued, in bytes of DER: a message of the certificate challenge has no room for more. */
const MAX_ISSUED_LENGTH = 700;

/** A certification authority that can sign. */
export interface Authority {
  /** DER */
  readonly certificate: Uint8Array;
  /** Private, on P-256. */
  readonly key: KeyObject;
}

export interface Validity {
  readonly notBefore: UnixMs;
  readonly notAfter: UnixMs;
}

/** Makes the certificate of a new authority for a key that it has; DER. */
export async function createAuthority(
  name: string,
  key: KeyObject,
  { serial, ...validity }: Validity & { readonly serial: string },
): Promise<Uint8Array> {
  const publicKey = await importPublic(createPublicKey(key));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject: [{ CN: [name] }],
    issuer: [{ CN: [name] }],
    ...dates(validity),
    signingAlgorithm: ECDSA,
    publicKey,
    signingKey: await importPrivate(key),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return new Uint8Array(certificate.rawData);
}

export interface IssueRequest extends Validity {
  readonly name: string;
  /** Lower-case hexadecimal, not negative. */
  readonly serial: string;
  readonly publicKey: KeyObject;
  /** What a client may open; null for the certificate of a server. */
  readonly authorised: readonly ServicePort[] | null;
}

/**
 * Issues a certificate (RFC 5280, section 4); DER. It is valid no longer than the authority's own.
 * @throws {HknockError} `usage` when it would be longer than {@link MAX_ISSUED_LENGTH}
 */
export async function issueCertificate(
  authority: Authority,
  request: IssueRequest,
): Promise<Uint8Array> {
  const issuer = new x509.X509Certificate(asBuffer(authority.certificate));
  const notAfter = Math.min(request.notAfter, issuer.notAfter.getTime()) as UnixMs;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: request.serial,
    subject: [{ CN: [request.name] }],
    issuer: issuer.subjectName,
    ...dates({ ...request, notAfter }),
    signingAlgorithm: ECDSA,
    publicKey: await importPublic(request.publicKey),
    signingKey: await importPrivate(authority.key),
    extensions: [
      ...usageOf(request.authorised),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  const der = new Uint8Array(certificate.rawData);
  if (der.length <= MAX_ISSUED_LENGTH) return der;
  throw new HknockError(
    'usage',
    `the certificate would take ${String(der.length)} bytes, and ${String(MAX_ISSUED_LENGTH)} is the most that fits into a knock`,
    { hint: 'name fewer ports, or take a shorter name' },
  );
}

function usageOf(authorised: readonly ServicePort[] | null): readonly x509.Extension[] {
  const purpose = authorised === null ? purposes.serverAuth : purposes.clientAuth;
  const common = [
    new x509.BasicConstraintsExtension(false),
    new x509.KeyUsagesExtension(
      x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyAgreement,
      true,
    ),
    new x509.ExtendedKeyUsageExtension([purpose]),
  ];
  if (authorised === null) return common;
  const names = encodeAuthorisation(authorised);
  return [...common, new x509.Extension(extensionIds.subjectAltName, false, names)];
}

/** The public key of a certificate request (RFC 2986). Nothing else in it counts: what is issued is for the authority to say. */
export async function readRequest(pem: string): Promise<KeyObject> {
  try {
    const request = new x509.Pkcs10CertificateRequest(pem);
    const key = publicKeyOf(new Uint8Array(request.publicKey.rawData));
    // who asks must have the private key too
    if (key !== null && (await request.verify())) return key;
  } catch (cause) {
    throw new HknockError('bad-input', 'this is no certificate request in PEM', { cause });
  }
  throw new HknockError('bad-input', 'this certificate request cannot be used', {
    hint: 'it must be for a key on P-256, and signed by it',
  });
}

/** A certificate that is no longer good. */
export interface Revoked {
  readonly serial: string;
  readonly revokedAt: UnixMs;
}

export interface CrlRequest {
  /** Higher than that of any list before. */
  readonly number: bigint;
  readonly thisUpdate: UnixMs;
  readonly nextUpdate: UnixMs;
  readonly revoked: readonly Revoked[];
}

/** Makes a list of revoked certificates (RFC 5280, section 5); DER. */
export async function createRevocationList(
  authority: Authority,
  { number, thisUpdate, nextUpdate, revoked }: CrlRequest,
): Promise<Uint8Array> {
  const issuer = new x509.X509Certificate(asBuffer(authority.certificate));
  const list = await x509.X509CrlGenerator.create({
    issuer: issuer.subjectName,
    thisUpdate: new Date(thisUpdate),
    nextUpdate: new Date(nextUpdate),
    entries: revoked.map(({ serial, revokedAt }) => ({
      serialNumber: serial,
      revocationDate: new Date(revokedAt),
    })),
    signingAlgorithm: ECDSA,
    signingKey: await importPrivate(authority.key),
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      new x509.Extension(extensionIds.crlNumber, false, encodeInteger(number)),
    ],
  });
  return new Uint8Array(list.rawData);
}

function dates({ notBefore, notAfter }: Validity) {
  return { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
}

function importPrivate(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
  return webcrypto.subtle.importKey('pkcs8', pkcs8, ECDSA, false, ['sign']);
}

function importPublic(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const spki = key.export({ format: 'der', type: 'spki' });
  return webcrypto.subtle.importKey('spki', spki, ECDSA, true, ['verify']);
}

function asBuffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
