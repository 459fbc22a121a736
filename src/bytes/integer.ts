const TWO_TO_32 = 0x1_0000_0000;

/** Writes an unsigned 64-bit integer, big-endian; `value` up to 2^53 - 1. */
export function encodeUint64(value: number, into: Uint8Array, offset: number): void {
  encodeUint32(Math.floor(value / TWO_TO_32), into, offset);
  encodeUint32(value % TWO_TO_32, into, offset + 4);
}

/** Reads one; above 2^53 - 1 the result is not exact, but still larger than any time we issue. */
export function decodeUint64(bytes: Uint8Array, offset: number): number {
  return decodeUint32(bytes, offset) * TWO_TO_32 + decodeUint32(bytes, offset + 4);
}

/** Writes an unsigned 32-bit integer, big-endian. */
export function encodeUint32(value: number, into: Uint8Array, offset: number): void {
  into[offset] = value >>> 24;
  into[offset + 1] = value >>> 16;
  into[offset + 2] = value >>> 8;
  into[offset + 3] = value;
}

/** Reads one. */
export function decodeUint32(bytes: Uint8Array, offset: number): number {
  return decodeUint16(bytes, offset) * 0x1_0000 + decodeUint16(bytes, offset + 2);
}

/** Writes an unsigned 16-bit integer, big-endian. */
export function encodeUint16(value: number, into: Uint8Array, offset: number): void {
  into[offset] = value >>> 8;
  into[offset + 1] = value;
}

/** Reads one. */
export function decodeUint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}
