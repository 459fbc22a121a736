/** Takes fields from the front of bytes; null, for this and every later field, when they are not there. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  bytes(length: number): Uint8Array | null {
    if (length > this.left) {
      this.#at = Infinity;
      return null;
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** An unsigned big-endian integer of 1 to 3 bytes. */
  uint(length: number): number | null {
    const bytes = this.bytes(length);
    return bytes === null ? null : bytes.reduce((value, byte) => value * 256 + byte, 0);
  }

  /** Bytes behind their own length. */
  vector(lengthOfLength: number): Uint8Array | null {
    const length = this.uint(lengthOfLength);
    return length === null ? null : this.bytes(length);
  }
}
