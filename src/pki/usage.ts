import { type DerReader, tags } from './der.ts';
import { readDefaultFalse, readObjectIdentifier, readSmall } from './der-values.ts';
import { extensionIds, type Extensions } from './extensions.ts';

/** Bits of the key usage extension (RFC 5280, section 4.2.1.3), the first bit first. */
const usageBits = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

type Usage = (typeof usageBits)[number];

/** What an extended key usage may be for. */
export const purposes = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** What a key may be used for; null when the certificate does not say. @throws {DerFault} */
export function keyUsage(extensions: Extensions): readonly Usage[] | null {
  return extensions.read(extensionIds.keyUsage, (reader) => {
    const [, ...octets] = reader.next(tags.bitString).content;
    const isSet = (bit: number): boolean => (((octets[bit >> 3] ?? 0) << (bit & 7)) & 0x80) !== 0;
    return usageBits.filter((_, bit) => isSet(bit));
  });
}

/** Whether a key may be used for a purpose, said by name. @throws {DerFault} */
export function isMeantFor(extensions: Extensions, purpose: keyof typeof purposes): boolean {
  const readPurposes = (reader: DerReader): readonly string[] =>
    reader.inside(tags.sequence, (list) => list.all(readObjectIdentifier));
  const meant = extensions.read(extensionIds.extendedKeyUsage, readPurposes);
  return meant?.includes(purposes[purpose]) ?? false;
}

/** Whether a certificate is that of a certification authority. @throws {DerFault} */
export function isAuthority(extensions: Extensions): boolean {
  const readConstraints = (reader: DerReader): boolean =>
    reader.inside(tags.sequence, (constraints) => {
      const authority = readDefaultFalse(constraints);
      if (constraints.tag === tags.integer) readSmall(constraints);
      return authority;
    });
  return extensions.read(extensionIds.basicConstraints, readConstraints) ?? false;
}
