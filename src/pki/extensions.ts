import { DerFault, type DerReader, readAll, tags } from './der.ts';
import { readDefaultFalse, readObjectIdentifier } from './der-values.ts';

/** Extensions that are read here (RFC 5280, section 4.2), by what they are called there. */
export const extensionIds = {
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  subjectAltName: '2.5.29.17',
  crlNumber: '2.5.29.20',
  authorityKeyIdentifier: '2.5.29.35',
} as const;

/** The extensions of a certificate, or of a list of revoked ones. */
export class Extensions {
  readonly #values: ReadonlyMap<string, Uint8Array>;
  /** Those of them that nobody may ignore. */
  readonly critical: readonly string[];

  constructor(values: ReadonlyMap<string, Uint8Array>, critical: readonly string[]) {
    this.#values = values;
    this.critical = critical;
  }

  /** What `read` makes of an extension; null when it is not there. @throws {DerFault} */
  read<T>(id: string, read: (reader: DerReader) => T): T | null {
    const value = this.#values.get(id);
    return value === undefined ? null : readAll(value, read);
  }
}

export const noExtensions = new Extensions(new Map(), []);

/** @throws {DerFault} also when one of them is there twice */
export function readExtensions(reader: DerReader): Extensions {
  const values = new Map<string, Uint8Array>();
  const critical: string[] = [];
  reader.inside(tags.sequence, (list) => {
    list.all((each) => {
      each.inside(tags.sequence, (extension) => {
        const id = readObjectIdentifier(extension);
        if (values.has(id)) throw new DerFault('an extension twice');
        if (readDefaultFalse(extension)) critical.push(id);
        values.set(id, extension.next(tags.octetString).content);
      });
    });
  });
  return new Extensions(values, critical);
}
