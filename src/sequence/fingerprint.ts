import { decodeUint16 } from '../bytes/integer.ts';
import type { SynTraits } from './capture/packet.ts';
import type { Heard } from './tracker.ts';

/**
 * What the SYNs of a system look like, in the form of p0f's signatures (M. Zalewski), as far as their five fields go:
 * window, time to live, don't fragment, length, options. For example `S4:64:1:60:M*,S,T,N,W0`, which is Linux 2.4's.
 */
export interface SynSignature {
  readonly isWindow: (window: number, mss: number | null) => boolean;
  /** As it was sent. */
  readonly ttl: number;
  readonly dontFragment: boolean;
  /** Null for any. */
  readonly length: number | null;
  /** Each as {@link describeOptions} has them, or with `*` for any number. */
  readonly options: readonly string[];
}

/** Routers that a packet may have passed: p0f's MAXDIST. */
const MAX_HOPS = 40;

const OPTION = String.raw`(?:[MW](?:\*|\d{1,5})|[NSET]|T0|\?\d{1,3})`;
const FORM = new RegExp(
  String.raw`^([^:]+):([1-9]\d{0,2}):([01]):(\*|[1-9]\d{0,4}):(\.|${OPTION}(?:,${OPTION})*)$`,
);

/** Reads a signature; null for anything else. */
export function parseSignature(text: string): SynSignature | null {
  const [, window = '', ttl, df, length, options = ''] = FORM.exec(text) ?? [];
  const isWindow = parseWindow(window);
  if (isWindow === null || Number(ttl) > 255) return null;
  return {
    isWindow,
    ttl: Number(ttl),
    dontFragment: df === '1',
    length: length === '*' ? null : Number(length),
    options: options === '.' ? [] : options.split(','),
  };
}

/** Whether a knock is a SYN as a signature has it. IPv6 has no field for "don't fragment", so there it does not matter. */
export function isFrom(signature: SynSignature, { ttl, syn, source }: Heard): boolean {
  if (syn === null || ttl > signature.ttl || ttl <= signature.ttl - MAX_HOPS) return false;
  if (signature.length !== null && syn.length !== signature.length) return false;
  if (!source.includes(':') && syn.dontFragment !== signature.dontFragment) return false;
  const { words, mss } = describeOptions(syn.options);
  const { options } = signature;
  return (
    signature.isWindow(syn.window, mss) &&
    words.length === options.length &&
    words.every((word, at) => isOption(word, options[at] ?? ''))
  );
}

// T stands for a timestamp that is not zero, T0 for one that is; `M*` and `W*` for any
function isOption(word: string, wanted: string): boolean {
  return wanted.endsWith('*') ? word.startsWith(wanted.slice(0, 1)) : word === wanted;
}

/** A number, a multiple of one (`%`), of the segment size (`S`) or of the packet size (`T`), or any. */
function parseWindow(text: string): SynSignature['isWindow'] | null {
  const [, kind, digits] = /^([%ST]?)([1-9]\d{0,4}|0)$/.exec(text) ?? [];
  const value = Number(digits);
  if (text === '*') return () => true;
  if (digits === undefined || (kind !== '' && value === 0)) return null;
  switch (kind) {
    case '%':
      return (window) => window % value === 0;
    case 'S':
      return (window, mss) => mss !== null && window === value * mss;
    case 'T':
      return (window, mss) => mss !== null && window === value * (mss + HEADERS);
    default:
      return (window) => window === value;
  }
}

/** Bytes of IPv4 and TCP before the data. */
const HEADERS = 40;

/** Options of TCP that have a letter, by their kind (RFC 9293, RFC 7323, RFC 2018). */
const END = 0;
const NO_OPERATION = 1;
const SEGMENT_SIZE = 2;
const WINDOW_SCALE = 3;
const SELECTIVE_ACKS = 4;
const TIMESTAMP = 8;

interface Described {
  /** One for each option; behind one that cannot be read there are none. */
  readonly words: readonly string[];
  readonly mss: number | null;
}

/** Names options as p0f does: N, E, M1460, W7, S, T, T0, and `?` with its kind for any other. */
function describeOptions(options: SynTraits['options']): Described {
  const words: string[] = [];
  let mss: number | null = null;
  let at = 0;
  while (at < options.length) {
    const kind = options[at] ?? END;
    if (kind === END) return { words: [...words, 'E'], mss };
    const length = kind === NO_OPERATION ? 1 : (options[at + 1] ?? 0);
    const option = options.subarray(at, at + length);
    // an option that runs past the header, or goes nowhere: no system sends that
    if (length === 0 || option.length < length) return { words: [...words, '!'], mss };
    if (kind === SEGMENT_SIZE && length === 4) mss = decodeUint16(option, 2);
    words.push(wordFor(kind, option));
    at += length;
  }
  return { words, mss };
}

function wordFor(kind: number, option: Uint8Array): string {
  switch (`${String(kind)}/${String(option.length)}`) {
    case `${String(NO_OPERATION)}/1`:
      return 'N';
    case `${String(SEGMENT_SIZE)}/4`:
      return `M${String(decodeUint16(option, 2))}`;
    case `${String(WINDOW_SCALE)}/3`:
      return `W${String(option[2])}`;
    case `${String(SELECTIVE_ACKS)}/2`:
      return 'S';
    case `${String(TIMESTAMP)}/10`:
      return option.subarray(2, 6).every((byte) => byte === 0) ? 'T0' : 'T';
    default:
      return `?${String(kind)}`;
  }
}
