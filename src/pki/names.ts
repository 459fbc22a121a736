import type { DerReader } from './der.ts';
import { tags } from './der.ts';
import { decodeUtf8, readObjectIdentifier } from './der-values.ts';

const COMMON_NAME = '2.5.4.3';

/** Types of text that a common name may have: UTF8String, PrintableString, IA5String. */
const textTags: readonly number[] = [tags.utf8String, 0x13, 0x16];

/** The first common name of a subject, for people to read; empty when it has none. */
export function readCommonName(name: DerReader): string {
  const attributes = name.inside(tags.sequence, (sets) =>
    sets.all((set) => set.inside(tags.set, (each) => each.all(readAttribute))).flat(),
  );
  return attributes.find(({ id }) => id === COMMON_NAME)?.text ?? '';
}

function readAttribute(reader: DerReader): { readonly id: string; readonly text: string } {
  return reader.inside(tags.sequence, (attribute) => {
    const id = readObjectIdentifier(attribute);
    const tag = attribute.tag ?? 0;
    const { content } = attribute.next(tag);
    return { id, text: textTags.includes(tag) ? decodeUtf8(content) : '' };
  });
}
