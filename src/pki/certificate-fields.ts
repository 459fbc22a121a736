import { contextTag, DerFault, type DerReader, readAll, tags } from './der.ts';
import { readSerial, readSmall, readTime } from './der-values.ts';
import { type Extensions, noExtensions, readExtensions } from './extensions.ts';
import { readCommonName } from './names.ts';
import { readAlgorithm } from './signed.ts';
import type { UnixMs } from '../units/time.ts';

/** What stands in a certificate (RFC 5280, section 4.1), of no worth before its signature is verified. */
export interface CertificateFields {
  readonly serial: string;
  /** The issuer's name, DER. */
  readonly issuer: Uint8Array;
  readonly notBefore: UnixMs;
  readonly notAfter: UnixMs;
  /** The subject's name, DER. */
  readonly subject: Uint8Array;
  /** The subject's common name; empty when it has none. */
  readonly commonName: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly extensions: Extensions;
}

/** X.509 version 3 is written as 2. */
const VERSION_3 = 2;

/** Reads the signed part of a certificate. @throws {DerFault} */
export function readCertificateFields(reader: DerReader): CertificateFields {
  return reader.inside(tags.sequence, (body) => {
    const version = body.inside(contextTag(0, 'constructed'), readSmall);
    if (version !== VERSION_3) throw new DerFault('version');
    const serial = readSerial(body);
    readAlgorithm(body);
    const issuer = body.next(tags.sequence).bytes;
    const validity = body.inside(tags.sequence, (period) => ({
      notBefore: readTime(period),
      notAfter: readTime(period),
    }));
    const subject = body.next(tags.sequence).bytes;
    const publicKey = body.next(tags.sequence).bytes;
    const inside = contextTag(3, 'constructed');
    const extensions = body.tag === inside ? body.inside(inside, readExtensions) : noExtensions;
    const commonName = readAll(subject, readCommonName);
    return { serial, issuer, ...validity, subject, commonName, publicKey, extensions };
  });
}
