import { toHex } from '../bytes/bytes.ts';
import type { UnixMs } from '../units/time.ts';
import { DerFault, type DerReader, tags } from './der.ts';

/** Longest serial number in bytes (RFC 5280, section 4.1.2.2). */
const MAX_SERIAL_LENGTH = 20;

/** An object identifier in the usual form, such as `2.5.29.17`. */
export function readObjectIdentifier(reader: DerReader): string {
  const { content } = reader.next(tags.objectIdentifier);
  const arcs: number[] = [];
  let arc = 0;
  content.forEach((byte, at) => {
    const begins = at === 0 || ((content[at - 1] ?? 0) & 0x80) === 0;
    if ((begins && byte === 0x80) || arc > 0xffffff) throw new DerFault('object identifier');
    arc = arc * 128 + (byte & 0x7f);
    if ((byte & 0x80) === 0) {
      arcs.push(arc);
      arc = 0;
    }
  });
  const [first] = arcs;
  if (first === undefined || ((content.at(-1) ?? 0) & 0x80) !== 0) throw new DerFault('cut off');
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...arcs.slice(1)].join('.');
}

/** A whole number that is not negative, big-endian without zeros before it; zero is one zero byte. */
export function readUnsigned(reader: DerReader): Uint8Array {
  const { content } = reader.next(tags.integer);
  const [first, second] = content;
  if (first === undefined || first >= 0x80) throw new DerFault('integer');
  if (first !== 0 || second === undefined) return content;
  if (second < 0x80) throw new DerFault('integer');
  return content.subarray(1);
}

/** A small whole number, such as a version. */
export function readSmall(reader: DerReader): number {
  const bytes = readUnsigned(reader);
  if (bytes.length > 3) throw new DerFault('integer');
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** A serial number as lower-case hexadecimal digits, two a byte, the way OpenSSL prints it but for the case. */
export function readSerial(reader: DerReader): string {
  const bytes = readUnsigned(reader);
  if (bytes.length > MAX_SERIAL_LENGTH || bytes[0] === 0) throw new DerFault('serial number');
  return toHex(bytes);
}

/** A bit string of whole bytes. */
export function readOctetBits(reader: DerReader): Uint8Array {
  const { content } = reader.next(tags.bitString);
  if (content[0] !== 0) throw new DerFault('bit string');
  return content.subarray(1);
}

/** DER leaves out `FALSE` where it is the default, so that only `TRUE` can stand there. */
export function readDefaultFalse(reader: DerReader): boolean {
  const found = reader.optional(tags.boolean);
  if (found === null) return false;
  if (found.content.length !== 1 || found.content[0] !== 0xff) throw new DerFault('boolean');
  return true;
}

/** A point in time, to the second, in UTC (RFC 5280, section 4.1.2.5). */
export function readTime(reader: DerReader): UnixMs {
  const tag = reader.tag === tags.utcTime ? tags.utcTime : tags.generalizedTime;
  const text = Buffer.from(reader.next(tag).content).toString('latin1');
  const long = tag === tags.utcTime ? `${text < '5' ? '20' : '19'}${text}` : text;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(long);
  if (match === null) throw new DerFault('time');
  const [year, month, day, hour, minute, second] = match.slice(1) as [string, ...string[]];
  const iso = `${year}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}.000Z`;
  const unixMs = Date.parse(iso);
  // a thirtieth of February is carried over into March otherwise
  if (Number.isNaN(unixMs) || new Date(unixMs).toISOString() !== iso) throw new DerFault('time');
  return unixMs as UnixMs;
}

/** The text of a UTF8String. */
export function decodeUtf8(content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw new DerFault('text');
  }
}
