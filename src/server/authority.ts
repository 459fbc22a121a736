import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { toHex } from '../bytes/bytes.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Clock } from '../host/clock.ts';
import type { Entropy } from '../host/entropy.ts';
import {
  type Authority,
  createAuthority,
  createRevocationList,
  issueCertificate,
  type Revoked,
} from '../pki/authority.ts';
import { decodePem, encodePem } from '../pki/pem.ts';
import { readTrustAnchor } from '../pki/trust-anchor.ts';
import { type AuthorityFiles, AuthorityFolder } from '../store/authority-folder.ts';
import type { Issued } from '../store/issued-index.ts';
import type { ServicePort } from '../units/network.ts';
import type { UnixMs } from '../units/time.ts';

const DAY_MS = 86_400_000;

/** A new authority's certificate is good for ten years. */
const AUTHORITY_DAYS = 3650;

/** Somebody whose clock is a little behind can use a new certificate at once. */
const BACKDATED_MS = 300_000;

export interface AuthorityHost {
  /** The folder in which `ca` lies. */
  readonly directory: string;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/**
 * Makes an authority with an empty list of revoked certificates, and gives its folder.
 * @throws {HknockError} `usage` when there is one already, `host`
 */
export async function initAuthority(
  { directory, clock, entropy }: AuthorityHost,
  { name, crlDays }: { readonly name: string; readonly crlDays: number },
): Promise<string> {
  const now = clock.unixMs();
  const key = newKey();
  const validity = validFrom(now, AUTHORITY_DAYS);
  const serial = newSerial(entropy);
  const certificate = await createAuthority(name, key, { ...validity, serial });
  const crl = await crlOf({ certificate, key }, { issued: [], number: 1n, now, days: crlDays });
  const folder = new AuthorityFolder(directory);
  await folder.create({
    certificate: encodePem(certificate, 'CERTIFICATE'),
    key: keyText(key),
    crl,
  });
  return folder.path;
}

export interface IssueOptions {
  readonly name: string;
  /** What a client may open; null for the certificate of a server. */
  readonly authorised: readonly ServicePort[] | null;
  readonly publicKey: KeyObject;
  readonly days: number;
}

/**
 * Issues a certificate, enters it in the index and gives it as PEM.
 * @throws {HknockError} `usage` when it would be too long, `config` when there is no authority
 */
export async function issue(
  { directory, clock, entropy }: AuthorityHost,
  { name, authorised, publicKey, days }: IssueOptions,
): Promise<string> {
  const { pem } = await new AuthorityFolder(directory).change(async (files) => {
    const serial = newSerial(entropy);
    const validity = validFrom(clock.unixMs(), days);
    const request = { name, serial, publicKey, authorised, ...validity };
    const der = await issueCertificate(authorityOf(files), request);
    const entry = { name, serial, notAfter: validity.notAfter, revokedAt: null };
    return { issued: [...files.issued, entry], pem: encodePem(der, 'CERTIFICATE') };
  });
  return pem;
}

/**
 * Revokes all certificates of a name, makes a new list with them, and gives how many they were.
 * @throws {HknockError} `usage` when there is none of that name that is good, `config` when there is no authority
 */
export async function revoke(
  { directory, clock }: AuthorityHost,
  { name, crlDays: days }: { readonly name: string; readonly crlDays: number },
): Promise<number> {
  const { count } = await new AuthorityFolder(directory).change(async (files) => {
    const now = clock.unixMs();
    const isMeant = (each: Issued): boolean => each.name === name && each.revokedAt === null;
    const count = files.issued.filter(isMeant).length;
    if (count === 0) {
      throw new HknockError('usage', `there is no certificate of '${name}' to revoke`, {
        hint: `see ${new AuthorityFolder(directory).file('index.txt')}`,
      });
    }
    const issued = files.issued.map((each) => (isMeant(each) ? { ...each, revokedAt: now } : each));
    const crl = await crlOf(authorityOf(files), { issued, number: files.crlNumber, now, days });
    return { issued, crl, count };
  });
  return count;
}

/**
 * Makes a new list of revoked certificates, and gives the path of its file.
 * @throws {HknockError} `config` when there is no authority
 */
export async function renewCrl(
  { directory, clock }: AuthorityHost,
  { crlDays: days }: { readonly crlDays: number },
): Promise<string> {
  const folder = new AuthorityFolder(directory);
  await folder.change(async (files) => {
    const { issued, crlNumber: number } = files;
    const now = clock.unixMs();
    return { crl: await crlOf(authorityOf(files), { issued, number, now, days }) };
  });
  return folder.file('crl.pem');
}

/** A new private key on P-256. */
export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** A private key as PEM, PKCS#8 without a password. */
export function keyText(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

interface CrlOptions {
  readonly issued: readonly Issued[];
  readonly number: bigint;
  readonly now: UnixMs;
  readonly days: number;
}

async function crlOf(
  authority: Authority,
  { issued, number, now, days }: CrlOptions,
): Promise<string> {
  const revoked = issued.flatMap(({ serial, revokedAt }): readonly Revoked[] =>
    revokedAt === null ? [] : [{ serial, revokedAt }],
  );
  const nextUpdate = (now + days * DAY_MS) as UnixMs;
  const request = { number, thisUpdate: now, nextUpdate, revoked };
  return encodePem(await createRevocationList(authority, request), 'X509 CRL');
}

/** @throws {HknockError} `config` */
function authorityOf({ certificate: pem, key: keyPem }: AuthorityFiles): Authority {
  const certificate = decodePem(pem, 'CERTIFICATE');
  if (certificate === null) throw new HknockError('config', 'ca.pem holds no certificate in PEM');
  const { publicKey } = readTrustAnchor(certificate);
  const key = parseKey(keyPem);
  if (createPublicKey(key).equals(publicKey)) return { certificate, key };
  throw new HknockError('config', 'ca.key is not the key of ca.pem');
}

// the cause is left out: it may quote the file
function parseKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new HknockError('config', 'ca.key holds no private key in PEM without a password');
  }
}

function validFrom(now: UnixMs, days: number) {
  const notBefore = (now - BACKDATED_MS) as UnixMs;
  return { notBefore, notAfter: (now + days * DAY_MS) as UnixMs };
}

/** 126 unpredictable bits (RFC 5280, section 4.1.2.2), written in 16 bytes without a sign. */
function newSerial(entropy: Entropy): string {
  const bytes = entropy.bytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return toHex(bytes);
}
