import { hmacTypes, type HmacType } from '../units/hmac-type.ts';
import { isPort, type Port } from '../units/network.ts';

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
}

/** Longest encryption key, in bytes. */
export const MAX_FWKNOP_KEY_LENGTH = 32;

/** Longest HMAC key, in bytes. */
export const MAX_FWKNOP_HMAC_KEY_LENGTH = 128;

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

/** `62201 sha256 base64:AAEC base64:AAEC`: port, HMAC, key, HMAC key. */
export function formatFwknopProfile({ port, hmacType, key, hmacKey }: FwknopProfile): string {
  return [String(port), hmacType, formatFwknopKey(key), formatFwknopKey(hmacKey)].join(' ');
}

/** Reads what {@link formatFwknopProfile} wrote, or the same with passphrases that have no space; null for anything else. */
export function parseFwknopProfile(text: string): FwknopProfile | null {
  const [number = '', hmac, key = '', hmacKey = '', ...rest] = text.split(' ');
  const hmacType = hmacTypes.find((each) => each === hmac);
  const port = /^[1-9]\d{0,4}$/.test(number) ? Number(number) : 0;
  const keys = {
    key: parseFwknopKey(key, MAX_FWKNOP_KEY_LENGTH),
    hmacKey: parseFwknopKey(hmacKey, MAX_FWKNOP_HMAC_KEY_LENGTH),
  };
  if (keys.key === null || keys.hmacKey === null || hmacType === undefined) return null;
  if (!isPort(port) || rest.length > 0) return null;
  return { port, hmacType, key: keys.key, hmacKey: keys.hmacKey };
}
