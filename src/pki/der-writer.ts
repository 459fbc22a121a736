import { concat } from '../bytes/bytes.ts';
import { contextTag, tags } from './der.ts';
import { AUTHORISATION_ID, formatAuthorisation } from './authorisation.ts';
import type { ServicePort } from '../units/network.ts';

/** One element of DER: the counterpart of what the reader takes apart, up to 65,535 bytes. */
function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const content = concat(...contents);
  const { length } = content;
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.from(header), content);
}

/** A whole number that is not negative. */
export function encodeInteger(value: bigint): Uint8Array<ArrayBuffer> {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return element(tags.integer, (bytes[0] ?? 0) < 0x80 ? bytes : concat(Uint8Array.of(0), bytes));
}

/** A subjectAltName that says what a certificate may open: what `readAuthorisation` reads. */
export function encodeAuthorisation(ports: readonly ServicePort[]): Uint8Array<ArrayBuffer> {
  const text = element(tags.utf8String, Buffer.from(formatAuthorisation(ports)));
  const inside = contextTag(0, 'constructed');
  const id = element(tags.objectIdentifier, encodeArcs(AUTHORISATION_ID));
  return element(tags.sequence, element(inside, id, element(inside, text)));
}

function encodeArcs(id: string): Uint8Array {
  const [root = 0, second = 0, ...others] = id.split('.').map(Number);
  return Uint8Array.from([root * 40 + second, ...others].flatMap(encodeArc));
}

/** Seven bits a byte; all bytes but the last have the top bit set. */
function encodeArc(arc: number): readonly number[] {
  const last = arc & 0x7f;
  return arc < 0x80 ? [last] : [...encodeArc(arc >>> 7).map((byte) => byte | 0x80), last];
}
