import { equalConstantTime } from '../crypto/mac.ts';
import type { UnixMs } from '../units/time.ts';
import { contextTag, DerFault, type DerReader, readDer, tags } from './der.ts';
import { readSerial, readSmall, readTime, readUnsigned } from './der-values.ts';
import { extensionIds, noExtensions, readExtensions } from './extensions.ts';
import { isSignedBy, readAlgorithm, readSigned } from './signed.ts';
import type { TrustAnchor } from './trust-anchor.ts';

/** A list of revoked certificates (RFC 5280, section 5) whose signature has been verified. */
export interface RevocationList {
  readonly der: Uint8Array;
  /** Goes up from list to list. */
  readonly number: bigint;
  readonly thisUpdate: UnixMs;
  readonly nextUpdate: UnixMs;
  /** Serial numbers, as {@link ClientCertificate} has them. */
  readonly serials: ReadonlySet<string>;
}

/** Why a list of revoked certificates is not used. */
export type CrlFault =
  'crl-malformed' | 'crl-untrusted' | 'crl-unsupported' | 'crl-not-yet-valid' | 'crl-older';

/** Whether a list may take the place of another: roll-back would let revoked certificates in again. */
export function isOlder(next: RevocationList, current: RevocationList | null): boolean {
  if (current === null) return false;
  // two lists of one number are two only when somebody made one of them in error
  return next.number < current.number || (next.number === current.number && !isSame(next, current));
}

function isSame(a: RevocationList, b: RevocationList): boolean {
  return Buffer.compare(a.der, b.der) === 0;
}

/** X.509 version 2 of a list is written as 1. */
const VERSION_2 = 1;

/** Longest list that is looked at, in bytes of DER: about 100,000 certificates. */
export const MAX_CRL_LENGTH = 4_194_304;

/**
 * Reads a list of revoked certificates. It must be complete, and have a number and the time of the next one.
 * Never throws.
 */
export function readRevocationList(
  der: Uint8Array,
  anchor: TrustAnchor,
): RevocationList | CrlFault {
  if (der.length > MAX_CRL_LENGTH) return 'crl-malformed';
  const own = Uint8Array.from(der);
  const signed = readDer(own, readSigned);
  if (signed === null) return 'crl-malformed';
  if (!isSignedBy(signed, anchor.publicKey)) return 'crl-untrusted';
  const fields = readDer(signed.body, readFields);
  if (fields === null) return 'crl-malformed';
  const { issuer, extensions, number, ...rest } = fields;
  if (!equalConstantTime(issuer, anchor.subject)) return 'crl-untrusted';
  // a critical extension says that this is a part of a list only, or somebody else's (RFC 5280, section 5.2)
  if (number === null || extensions.critical.length > 0) return 'crl-unsupported';
  return { der: own, number, ...rest };
}

function readFields(reader: DerReader) {
  return reader.inside(tags.sequence, (body) => {
    if (body.tag === tags.integer && readSmall(body) !== VERSION_2) throw new DerFault('version');
    readAlgorithm(body);
    const issuer = body.next(tags.sequence).bytes;
    const thisUpdate = readTime(body);
    const nextUpdate = readTime(body);
    const serials = new Set<string>();
    if (body.tag === tags.sequence) {
      body.inside(tags.sequence, (list) => list.all((each) => serials.add(readEntry(each))));
    }
    const inside = contextTag(0, 'constructed');
    const extensions = body.tag === inside ? body.inside(inside, readExtensions) : noExtensions;
    const number = extensions.read(extensionIds.crlNumber, readNumber);
    return { issuer, thisUpdate, nextUpdate, serials, extensions, number };
  });
}

function readEntry(reader: DerReader): string {
  return reader.inside(tags.sequence, (entry) => {
    const serial = readSerial(entry);
    // when it was revoked changes nothing, and reading it would take most of a long list's time
    entry.next(entry.tag === tags.utcTime ? tags.utcTime : tags.generalizedTime);
    // why it was revoked changes nothing; what is critical there might
    const extensions = entry.tag === null ? noExtensions : readExtensions(entry);
    if (extensions.critical.length > 0) throw new DerFault('critical extension');
    return serial;
  });
}

function readNumber(reader: DerReader): bigint {
  return BigInt(`0x${Buffer.from(readUnsigned(reader)).toString('hex')}`);
}
