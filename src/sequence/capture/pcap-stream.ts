import { concat } from '../../bytes/bytes.ts';

/** One captured packet. */
export interface PcapRecord {
  /** The reader's own memory: good for the length of the call. */
  readonly bytes: Uint8Array;
  readonly linkType: number;
  /** Byte order of the machine that captured. */
  readonly littleEndian: boolean;
}

/** Why a stream cannot be read on: nobody can tell any more where its next record begins. */
export type PcapFault = 'not a pcap stream' | 'a record longer than any packet';

interface Header {
  readonly linkType: number;
  readonly littleEndian: boolean;
}

const HEADER_LENGTH = 24;
const RECORD_HEADER_LENGTH = 16;

/** libpcap's MAXIMUM_SNAPLEN is 262,144; we ask for a few hundred. */
const MAX_RECORD_LENGTH = 65_536;

/** Magic numbers with microseconds and with nanoseconds: times are not looked at. */
const magics: readonly number[] = [0xa1b2c3d4, 0xa1b23c4d];

/** Reads a pcap stream as it comes, in pieces of any length; keeps less than one record of it. */
export class PcapStream {
  #rest: Uint8Array = new Uint8Array(0);
  #header: Header | null = null;
  #fault: PcapFault | null = null;

  /** Whether the stream's own header has come. */
  get hasBegun(): boolean {
    return this.#header !== null;
  }

  /** Reads on; after a fault there is no more to be had from this stream. */
  push(chunk: Uint8Array, take: (record: PcapRecord) => void): PcapFault | null {
    if (this.#fault !== null) return this.#fault;
    const bytes = this.#rest.length === 0 ? chunk : concat(this.#rest, chunk);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const { used, fault } = this.#read(view, take);
    this.#fault = fault;
    // in memory of its own: the chunk is the caller's, and may be a view of something large
    this.#rest = fault === null ? bytes.slice(used) : new Uint8Array(0);
    return fault;
  }

  #read(view: DataView, take: (record: PcapRecord) => void): Progress {
    if (this.#header !== null) return readRecords(view, 0, { ...this.#header, take });
    if (view.byteLength < HEADER_LENGTH) return { used: 0, fault: null };
    this.#header = readHeader(view);
    if (this.#header === null) return { used: 0, fault: 'not a pcap stream' };
    return readRecords(view, HEADER_LENGTH, { ...this.#header, take });
  }
}

/** How far a stream has been read. */
interface Progress {
  readonly used: number;
  readonly fault: PcapFault | null;
}

function readRecords(
  view: DataView,
  from: number,
  { take, ...header }: Header & { readonly take: (record: PcapRecord) => void },
): Progress {
  let at = from;
  while (at + RECORD_HEADER_LENGTH <= view.byteLength) {
    const length = view.getUint32(at + 8, header.littleEndian);
    if (length > MAX_RECORD_LENGTH) return { used: at, fault: 'a record longer than any packet' };
    const start = at + RECORD_HEADER_LENGTH;
    if (start + length > view.byteLength) break;
    take({ bytes: new Uint8Array(view.buffer, view.byteOffset + start, length), ...header });
    at = start + length;
  }
  return { used: at, fault: null };
}

function readHeader(view: DataView): Header | null {
  const littleEndian = magics.includes(view.getUint32(0, true));
  if (!littleEndian && !magics.includes(view.getUint32(0, false))) return null;
  if (view.getUint16(4, littleEndian) !== 2) return null;
  return { linkType: view.getUint32(20, littleEndian), littleEndian };
}
