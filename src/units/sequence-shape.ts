import { isPort, type Port, type Protocol } from './network.ts';

/** What a sequence of knocks looks like: both sides must say the same (sequence.md, section 4). */
export interface SequenceShape {
  readonly protocol: Protocol;
  /** The range of ports, both ends included. */
  readonly first: Port;
  readonly last: Port;
  /** Knocks in a sequence. */
  readonly count: number;
}

/** Knocks of one sequence: fewer can be guessed, more are a burden on the way. */
export const MIN_KNOCKS = 4;
export const MAX_KNOCKS = 16;

/** Ports that each knock must have to choose from. */
export const MIN_SLICE = 256;

/** Ports in each slice of the range, one slice for each knock. */
export function sliceWidth({ first, last, count }: Omit<SequenceShape, 'protocol'>): number {
  return Math.floor((last - first + 1) / count);
}

/** Reads `20000-32767`; null for anything but two ports, the second not below the first. */
export function parsePortRange(text: string): Pick<SequenceShape, 'first' | 'last'> | null {
  const match = /^([1-9]\d{0,4})-([1-9]\d{0,4})$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  return isPort(first) && isPort(last) && first <= last ? { first, last } : null;
}

/** `tcp:20000-32767:6` */
export function formatSequenceShape({ protocol, first, last, count }: SequenceShape): string {
  return `${protocol}:${String(first)}-${String(last)}:${String(count)}`;
}

/** Reads what {@link formatSequenceShape} wrote; null for anything that cannot be. */
export function parseSequenceShape(text: string): SequenceShape | null {
  const [protocol, ports = '', knocks = '', ...rest] = text.split(':');
  const range = parsePortRange(ports);
  const count = Number(knocks);
  if (protocol !== 'tcp' && protocol !== 'udp') return null;
  if (range === null || rest.length > 0 || !/^[1-9]\d?$/.test(knocks)) return null;
  if (count < MIN_KNOCKS || count > MAX_KNOCKS) return null;
  return sliceWidth({ ...range, count }) < MIN_SLICE ? null : { protocol, ...range, count };
}
