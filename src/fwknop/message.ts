import { ascii } from '../bytes/bytes.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { digestOf, isDigestOf } from './digest.ts';

/** What an SPA packet says, of any type (fwknop.md, section 4). */
export interface SpaMessage {
  /** 16 decimal digits, so that no two packets are alike. */
  readonly random: string;
  readonly user: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly type: SpaType;
  /** With `access`: who wants what opened. */
  readonly text: string;
  /** With the types that have one, where to forward to; null with the others. */
  readonly natAccess: string | null;
  /** With the types that have one; null with the others. */
  readonly timeoutSeconds: number | null;
}

type Rest = Pick<SpaMessage, 'natAccess' | 'timeoutSeconds'>;
type Wish = Pick<SpaMessage, 'type' | 'text'> & Rest;

/** By their number on the wire. */
export const spaTypes = [
  'command',
  'access',
  'nat-access',
  'access-timeout',
  'nat-access-timeout',
  'local-nat-access',
  'local-nat-access-timeout',
] as const;

type SpaType = (typeof spaTypes)[number];

const VERSION = '3.0.0';
const MAX_USER_LENGTH = 64;
const MAX_TEXT_LENGTH = 256;
const MAX_TIMEOUT_SECONDS = 65_536;

/** The plaintext of a message. */
export function encodeMessage(message: SpaMessage): Uint8Array<ArrayBuffer> {
  const { random, user, timestamp, type, text, natAccess, timeoutSeconds } = message;
  const fields = [
    random,
    encodeBase64(ascii(user)),
    String(timestamp),
    VERSION,
    String(spaTypes.indexOf(type)),
    encodeBase64(ascii(text)),
    ...(natAccess === null ? [] : [encodeBase64(ascii(natAccess))]),
    ...(timeoutSeconds === null ? [] : [String(timeoutSeconds)]),
  ];
  const signed = fields.join(':');
  return ascii(`${signed}:${digestOf(signed)}`);
}

/** Reads a decrypted packet; gives the first check that it fails. */
export function decodeMessage(plaintext: Uint8Array): SpaMessage | 'malformed' | 'digest' {
  const text = Buffer.from(plaintext).toString('latin1');
  const digestAt = text.lastIndexOf(':');
  const message = decodeFields(text.slice(0, Math.max(0, digestAt)).split(':'));
  if (message === null) return 'malformed';
  return isDigestOf(text.slice(0, digestAt), text.slice(digestAt + 1)) ? message : 'digest';
}

function decodeFields(fields: readonly string[]): SpaMessage | null {
  const [random = '', user = '', timestamp = '', version = '', ...rest] = fields;
  if (!/^\d{16}$/.test(random) || !/^\d{1,2}\.\d{1,2}\.\d{1,2}$/.test(version)) return null;
  const decoded = {
    user: decodeText(user, MAX_USER_LENGTH),
    timestamp: /^[1-9]\d{0,10}$/.test(timestamp) ? Number(timestamp) : null,
    wish: decodeWish(rest),
  };
  if (!isComplete(decoded)) return null;
  const { wish, ...about } = decoded;
  return { random, ...about, ...wish };
}

/** Type, text, and what the type brings along. */
function decodeWish([number = '', field = '', ...rest]: readonly string[]): Wish | null {
  const type = /^[0-6]$/.test(number) ? spaTypes[Number(number)] : undefined;
  const text = decodeText(field, MAX_TEXT_LENGTH);
  if (type === undefined || text === null) return null;
  const tail = decodeRest(type, rest);
  return tail === null ? null : { type, text, ...tail };
}

/** What stands behind the text: where to forward to, and a timeout, each with the types that have it. */
function decodeRest(type: SpaType, fields: readonly string[]): Rest | null {
  const hops = type.includes('nat') ? 1 : 0;
  const timed = type.endsWith('timeout') ? 1 : 0;
  const accesses = fields.slice(0, hops).map((each) => decodeText(each, MAX_TEXT_LENGTH));
  const timeouts = fields.slice(hops).map(decodeTimeout);
  if (fields.length !== hops + timed || [...accesses, ...timeouts].includes(null)) return null;
  return { natAccess: accesses[0] ?? null, timeoutSeconds: timeouts[0] ?? null };
}

/** Printable ASCII, as all of fwknop's texts are. */
function decodeText(field: string, maxLength: number): string | null {
  const text = Buffer.from(decodeBase64(field) ?? []).toString('latin1');
  return /^[\x20-\x7e]+$/.test(text) && text.length <= maxLength ? text : null;
}

function decodeTimeout(field: string): number | null {
  const seconds = /^(0|[1-9]\d{0,4})$/.test(field) ? Number(field) : null;
  return seconds !== null && seconds <= MAX_TIMEOUT_SECONDS ? seconds : null;
}

function isComplete<T extends object>(fields: T): fields is { [K in keyof T]: NonNullable<T[K]> } {
  return Object.values(fields).every((value) => value !== null);
}
