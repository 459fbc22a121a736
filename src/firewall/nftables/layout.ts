import type { Admission, Breadth } from '../../units/admission.ts';
import type { PortRange } from '../../units/network.ts';

/** The one table that is ours. No other is ever read or written. */
export const TABLE = 'inet hknock';

/** Admissions that tell connections by their source alone. */
export const sourceAdmissions = ['address', 'once'] as const satisfies readonly Admission[];

/** What the kernel enforces by itself. */
export const kernelAdmissions = [
  ...sourceAdmissions,
  'port',
  'bound',
] as const satisfies readonly Admission[];

export type KernelAdmission = (typeof kernelAdmissions)[number];

/** What a row of maps is for: grants of one admission, for addresses or for prefixes. */
export type Row = KernelAdmission | 'prefix_address' | 'prefix_once';

/** The row that a grant belongs in. */
export function rowOf({
  admission,
  breadth,
}: {
  readonly admission: KernelAdmission;
  readonly breadth?: Breadth;
}): Row {
  if (breadth === undefined) return admission;
  return admission === 'address' ? 'prefix_address' : 'prefix_once';
}

export type Family = 4 | 6;

export const families: readonly Family[] = [4, 6];

/** What of the table is configured. */
export interface TableOptions {
  /** Where grants for `port` have their ports. Nothing else should be there for strangers to connect to. */
  readonly ports: PortRange;
  /** So many new connections to these ports may come from one address after its grant was opened, the right one included. */
  readonly portGuesses: number;
}

/**
 * People behind one NAT share an address, so several grants for the same address and port must live side by
 * side, and a map holds a key once. Hence a row of maps, asked one after the other: this many grants of one
 * admission can wait for the same address and port. A peer renews its grant for `address`, so it has one lane, and needs
 * no more; half as many will do. Most servers never need more than the first ones, and nft reads all sets
 * before each change (three microseconds a map): so there are {@link FIRST_LANES}, and twice as many whenever
 * these are taken, up to this. Grants for `port` and `bound` have keys of their own: one lane, made for the first of them. Those
 * for prefixes are rare, and have none before the first of them either.
 */
export const MAX_LANES: LaneCounts = {
  port: 1,
  bound: 1,
  address: 8,
  once: 16,
  prefix_address: 8,
  prefix_once: 16,
};

export const FIRST_LANES: LaneCounts = {
  port: 0,
  bound: 0,
  address: 2,
  once: 2,
  prefix_address: 0,
  prefix_once: 0,
};

type LaneCounts = Readonly<Record<Row, number>>;

/** How many lanes there are in a row, for a family. */
export type LaneCount = (row: Row, family: Family) => number;

/** Of these, one peer may have so many: by itself it shuts out nobody with whom it shares an address. */
export const LANES_PER_PEER = 8;

/**
 * Room for elements. A hash set of the kernel reserves its buckets (8 bytes each) for the size it is declared
 * with, which is what makes an addition cost the same at any fill. The first lane takes all grants but the
 * second for the same address and port, so it is large: 4 MB. The other lanes: 128 KB each.
 */
export function laneSize(lane: number): number {
  return lane === 0 ? 262_144 : 8192;
}

/** `once4_0`: grants of one row and family in one lane. */
export function mapName(row: Row, family: Family, lane: number): string {
  return `${row}${String(family)}_${String(lane)}`;
}

/** `target4`: the service's port behind each port that is good once. */
export function targetName(family: Family): string {
  return `target${String(family)}`;
}

/** `guesses_port4`: sources with grants of this admission, each with a count of its tries. */
export function guessesName(admission: 'port' | 'bound', family: Family): string {
  return `guesses_${admission}${String(family)}`;
}

/** `spent4`: sources that have guessed at ports too often. */
export function spentName(family: Family): string {
  return `spent${String(family)}`;
}

/** `before4`: TCP connections that were there before their port became protected. */
export function beforeName(family: Family): string {
  return `before${String(family)}`;
}

/** `0x6b00002a`, as nft and conntrack write a mark. */
export function hex(mark: number): string {
  return `0x${mark.toString(16)}`;
}
