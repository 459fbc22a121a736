import { concat } from '../../bytes/bytes.ts';
import { encodeUint16 } from '../../bytes/integer.ts';

/** With its length as much as one TLS record holds (RFC 8446, section 5.1). */
export const MAX_FRAME_LENGTH = 16_382;

/** The frame that says that nothing more comes (gate.md, section 4.2). */
export const END_FRAME = Uint8Array.of(0, 0);

/** The length that stands before a frame's bytes. */
export function frameHeader(length: number): Uint8Array {
  const header = new Uint8Array(2);
  encodeUint16(length, header, 0);
  return header;
}

/** What came in: bytes of a frame, or the end. */
export type Piece = Uint8Array | 'end';

/** Takes frames apart again, however the bytes come. Bytes of a frame are given on before all of it is there. */
export class FrameReader {
  #header: Uint8Array = new Uint8Array();
  #left = 0;
  #ended = false;

  /** Gives the pieces in these bytes; null when something comes after the end. */
  read(bytes: Uint8Array): readonly Piece[] | null {
    const pieces: Piece[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.#ended) return null;
      if (this.#left === 0) {
        at += this.#readHeader(bytes.subarray(at), pieces);
      } else {
        const piece = bytes.subarray(at, at + this.#left);
        pieces.push(piece);
        this.#left -= piece.length;
        at += piece.length;
      }
    }
    return pieces;
  }

  #readHeader(bytes: Uint8Array, pieces: Piece[]): number {
    const part = bytes.subarray(0, END_FRAME.length - this.#header.length);
    this.#header = concat(this.#header, part);
    const [high, low] = this.#header;
    if (high === undefined || low === undefined) return part.length;
    this.#header = new Uint8Array();
    this.#left = high * 256 + low;
    if (this.#left > 0) return part.length;
    this.#ended = true;
    pieces.push('end');
    return part.length;
  }
}
