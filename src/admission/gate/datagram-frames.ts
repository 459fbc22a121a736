import { concat } from '../../bytes/bytes.ts';
import { decodeUint16, encodeUint16 } from '../../bytes/integer.ts';

/**
 * A datagram on its way through the gate (gate.md, section 4.3). As a frame:
 *
 *     0   2  length of what follows; 0 is the end
 *     2   2  flow
 *     4   …  datagram
 */
export interface FlowDatagram {
  /** Tells the senders at the client's side apart. */
  readonly flow: number;
  readonly bytes: Uint8Array;
}

/** As much as UDP over IPv4 can carry (RFC 768, RFC 791). */
const MAX_DATAGRAM_LENGTH = 65_507;

const LENGTH_LENGTH = 2;
const FLOW_LENGTH = 2;
const HEADER_LENGTH = LENGTH_LENGTH + FLOW_LENGTH;

/** Null when the datagram is too long for a frame. */
export function encodeDatagramFrame({ flow, bytes }: FlowDatagram): Uint8Array | null {
  if (bytes.length > MAX_DATAGRAM_LENGTH) return null;
  const header = new Uint8Array(HEADER_LENGTH);
  encodeUint16(FLOW_LENGTH + bytes.length, header, 0);
  encodeUint16(flow, header, LENGTH_LENGTH);
  return concat(header, bytes);
}

/** Takes frames of datagrams apart again, however the bytes come. Keeps less than one frame. */
export class DatagramFrameReader {
  #rest: Uint8Array = new Uint8Array();
  #ended = false;

  /** Gives what these bytes complete; null when a frame has an impossible length, or something comes after the end. */
  read(bytes: Uint8Array): readonly (FlowDatagram | 'end')[] | null {
    const read: (FlowDatagram | 'end')[] = [];
    let rest = concat(this.#rest, bytes);
    while (!this.#ended && rest.length >= LENGTH_LENGTH) {
      const length = decodeUint16(rest, 0);
      if (!isPossible(length)) return null;
      if (rest.length < LENGTH_LENGTH + length) break;
      read.push(length === 0 ? 'end' : decode(rest.subarray(0, LENGTH_LENGTH + length)));
      this.#ended = length === 0;
      rest = rest.subarray(LENGTH_LENGTH + length);
    }
    this.#rest = rest;
    return this.#ended && rest.length > 0 ? null : read;
  }
}

function isPossible(length: number): boolean {
  return length === 0 || (length >= FLOW_LENGTH && length <= FLOW_LENGTH + MAX_DATAGRAM_LENGTH);
}

function decode(frame: Uint8Array): FlowDatagram {
  return { flow: decodeUint16(frame, LENGTH_LENGTH), bytes: frame.subarray(HEADER_LENGTH) };
}
