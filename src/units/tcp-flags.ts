/** Which flags a TCP segment must have, and which it must not. */
export interface TcpFlags {
  /** The bits that are looked at. */
  readonly mask: number;
  /** Those of them that must be set. */
  readonly value: number;
}

const bits: Readonly<Record<string, number>> = {
  fin: 0x01,
  syn: 0x02,
  rst: 0x04,
  psh: 0x08,
  ack: 0x10,
  urg: 0x20,
};

/** Bits of the flags that there are names for (RFC 9293, section 3.1), without those of ECN. */
export const ALL_TCP_FLAGS = 0x3f;

/** A segment that begins a connection, whatever else it has. */
export const SYN_FLAGS: TcpFlags = { mask: 0x17, value: 0x02 };

/** Reads `syn,!ack` as knockd has it; null for anything else, a flag said twice included. */
export function parseTcpFlags(text: string): TcpFlags | null {
  let flags: TcpFlags = { mask: 0, value: 0 };
  for (const word of text.toLowerCase().split(',')) {
    const [, not, name = ''] = /^\s*(!?)([a-z]+)\s*$/.exec(word) ?? [];
    const bit = Object.hasOwn(bits, name) ? bits[name] : undefined;
    if (bit === undefined || (flags.mask & bit) !== 0) return null;
    flags = { mask: flags.mask | bit, value: flags.value | (not === '' ? bit : 0) };
  }
  return flags;
}

/** The flags that some words of a firewall's log name, such as `SYN`. */
export function flagsNamed(isNamed: (word: string) => boolean): number {
  return Object.entries(bits)
    .filter(([name]) => isNamed(name.toUpperCase()))
    .reduce((flags, [, bit]) => flags | bit, 0);
}

/** Whether a segment's flags are such. */
export function hasFlags(flags: number, { mask, value }: TcpFlags): boolean {
  return (flags & mask) === value;
}
