import { familyOf, parseAddress } from '../bytes/address.ts';
import type { Entropy } from '../host/entropy.ts';
import { hmacTypes, type HmacType } from '../units/hmac-type.ts';
import { type IpAddress, isPort, type Port } from '../units/network.ts';

/** The keys that a client of fwknop and its server share. */
export interface FwknopKeys {
  /** 1 to 32 bytes */
  readonly key: Uint8Array;
  /** 1 to 128 bytes */
  readonly hmacKey: Uint8Array;
  readonly hmacType: HmacType;
}

/** What a client needs to knock as fwknop's own does. */
export interface FwknopProfile extends FwknopKeys {
  /** UDP; fwknopd's is 62201. */
  readonly port: Port;
  /** The IPv4 address to let in, or `any` for wherever a packet comes from; the one that the client has if not said. */
  readonly source?: IpAddress | 'any';
}

/** Longest encryption key, in bytes. */
export const MAX_FWKNOP_KEY_LENGTH = 32;

/** Longest HMAC key, in bytes. */
export const MAX_FWKNOP_HMAC_KEY_LENGTH = 128;

/** As long as those of `fwknop --key-gen`. */
const NEW_HMAC_KEY_LENGTH = 64;

/** Fresh keys, for the HMAC that fwknop has if none is said. */
export function newFwknopKeys(entropy: Entropy): FwknopKeys {
  return {
    key: entropy.bytes(MAX_FWKNOP_KEY_LENGTH),
    hmacKey: entropy.bytes(NEW_HMAC_KEY_LENGTH),
    hmacType: 'sha256',
  };
}

/** `base64:AAEC` */
export function formatFwknopKey(bytes: Uint8Array): string {
  return `base64:${Buffer.from(bytes).toString('base64')}`;
}

/** Reads `base64:KEY` or `passphrase:TEXT`; null for anything else. */
export function parseFwknopKey(value: string, maxLength: number): Uint8Array<ArrayBuffer> | null {
  const [, kind, content = ''] = /^(base64|passphrase):(.+)$/s.exec(value) ?? [];
  const bytes = Uint8Array.from(Buffer.from(content, kind === 'base64' ? 'base64' : 'utf8'));
  const isWhole = kind === 'passphrase' || formatFwknopKey(bytes) === value;
  const isFit = bytes.length > 0 && bytes.length <= maxLength;
  return kind !== undefined && isWhole && isFit ? bytes : null;
}

/** `62201 sha256 base64:AAEC base64:AAEC`: port, HMAC, key, HMAC key, and the source if it is said. */
export function formatFwknopProfile({
  port,
  hmacType,
  key,
  hmacKey,
  source,
}: FwknopProfile): string {
  const words = [String(port), hmacType, formatFwknopKey(key), formatFwknopKey(hmacKey)];
  return [...words, ...(source === undefined ? [] : [source])].join(' ');
}

/** Reads what {@link formatFwknopProfile} wrote, or the same with passphrases that have no space; null for anything else. */
export function parseFwknopProfile(text: string): FwknopProfile | null {
  const [number = '', hmac, key = '', hmacKey = '', from = null, ...rest] = text.split(' ');
  const hmacType = hmacTypes.find((each) => each === hmac);
  const port = /^[1-9]\d{0,4}$/.test(number) ? Number(number) : 0;
  const keys = parseKeys(key, hmacKey);
  if (keys === null || hmacType === undefined || !isPort(port) || rest.length > 0) return null;
  const profile = { port, hmacType, ...keys };
  if (from === null) return profile;
  const source = parseSource(from);
  return source === null ? null : { ...profile, source };
}

function parseKeys(key: string, hmacKey: string): Pick<FwknopKeys, 'key' | 'hmacKey'> | null {
  const cipher = parseFwknopKey(key, MAX_FWKNOP_KEY_LENGTH);
  const hmac = parseFwknopKey(hmacKey, MAX_FWKNOP_HMAC_KEY_LENGTH);
  return cipher && hmac && { key: cipher, hmacKey: hmac };
}

function parseSource(text: string): IpAddress | 'any' | null {
  if (text === 'any') return text;
  const address = parseAddress(text);
  return address !== null && familyOf(address) === 4 ? address : null;
}
