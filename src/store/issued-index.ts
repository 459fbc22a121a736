import { HknockError } from '../errors/hknock-error.ts';
import type { UnixMs } from '../units/time.ts';

/** A certificate that an authority has issued. */
export interface Issued {
  /** The name of its subject. */
  readonly name: string;
  /** Lower-case hexadecimal, two digits a byte. */
  readonly serial: string;
  readonly notAfter: UnixMs;
  /** Null: it is still good. */
  readonly revokedAt: UnixMs | null;
}

/**
 * Reads the index of issued certificates: the text database of `openssl ca`, so that the folder can be used with either
 * program. A line has six fields with tabs between them: V, R or E; end of validity; when it was revoked, and why; serial
 * number; file; subject.
 * @throws {HknockError} `config` with the number of the line that is wrong
 */
export function parseIndex(text: string, file: string): readonly Issued[] {
  return text
    .split('\n')
    .map((line, at) => ({ line, number: at + 1 }))
    .filter(({ line }) => line !== '')
    .map(({ line, number }) => {
      const issued = parseLine(line);
      if (issued !== null) return issued;
      throw new HknockError('config', `${file}:${String(number)}: this is no line of an index`, {
        hint: "it should be as 'openssl ca' writes it",
      });
    });
}

/** The text that {@link parseIndex} reads. */
export function formatIndex(all: readonly Issued[]): string {
  return all
    .map(({ name, serial, notAfter, revokedAt }) => {
      const state = revokedAt === null ? 'V' : 'R';
      const revoked = revokedAt === null ? '' : formatTime(revokedAt);
      const fields = [state, formatTime(notAfter), revoked, serial.toUpperCase(), 'unknown'];
      return `${[...fields, `/CN=${name}`].join('\t')}\n`;
    })
    .join('');
}

const LINE = /^([VRE])\t(\d+Z)\t([^\t]*)\t((?:[0-9A-F]{2}){1,20})\t[^\t]*\t([^\t]*)$/;

function parseLine(line: string): Issued | null {
  const match = LINE.exec(line);
  if (match === null) return null;
  const [, state, end = '', revoked = '', serial = '', subject = ''] = match;
  const notAfter = parseTime(end);
  const revokedAt = state === 'R' ? parseTime(revoked.split(',')[0] ?? '') : null;
  if (notAfter === null || (state === 'R' && revokedAt === null)) return null;
  return { name: commonName(subject), serial: serial.toLowerCase(), notAfter, revokedAt };
}

function commonName(subject: string): string {
  return /\/CN=([^/]*)/.exec(subject)?.[1] ?? '';
}

/** `YYMMDDHHMMSSZ` until 2049, as OpenSSL writes it, and with the whole year from then on. */
function formatTime(unixMs: UnixMs): string {
  const digits = new Date(unixMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return digits < '2050' ? digits.slice(2) : digits;
}

function parseTime(text: string): UnixMs | null {
  const whole = text.length === 13 ? `20${text}` : text;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(whole);
  if (match === null) return null;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = ''] = match;
  const unixMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(unixMs) ? null : (unixMs as UnixMs);
}
