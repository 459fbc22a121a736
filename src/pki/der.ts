/** Tags of the universal types that certificates are made of (X.680, section 8.4). */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** The tag `[number]` of a field that has its own: constructed when it holds other elements. */
export function contextTag(number: number, form: 'constructed' | 'primitive'): number {
  return (form === 'constructed' ? 0xa0 : 0x80) + number;
}

/** One element: its tag, what is in it, and all its bytes. Both are views. */
export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly bytes: Uint8Array;
}

/** The bytes are not the DER that they should be. Caught by {@link readDer}; never leaves this room. */
export class DerFault extends Error {
  override readonly name = 'DerFault';
}

/** Reads one element of DER, to its last byte; null when the bytes are not what `read` expects. */
export function readDer<T>(bytes: Uint8Array, read: (reader: DerReader) => T): T | null {
  try {
    return readAll(bytes, read);
  } catch (fault) {
    if (fault instanceof DerFault) return null;
    throw fault;
  }
}

/** Reads the elements inside another one. @throws {DerFault} also when `read` leaves some of them unread */
export function readAll<T>(bytes: Uint8Array, read: (reader: DerReader) => T): T {
  const reader = new DerReader(bytes);
  const value = read(reader);
  reader.end();
  return value;
}

/**
 * Takes DER (X.690, section 10) apart, one element after the other. Strict: one byte of tag, the shortest form of the
 * length, nothing left over, so that the same value never has two encodings.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The tag of the next element; null at the end. */
  get tag(): number | null {
    return this.#bytes[this.#at] ?? null;
  }

  /** @throws {DerFault} when the next element is not of this tag, or is cut off */
  next(tag: number): Element {
    if (this.tag !== tag || (tag & 0x1f) === 0x1f) throw new DerFault('another tag');
    const start = this.#at;
    const { length, at } = this.#length(start + 1);
    const end = at + length;
    if (end > this.#bytes.length) throw new DerFault('cut off');
    this.#at = end;
    return {
      tag,
      content: this.#bytes.subarray(at, end),
      bytes: this.#bytes.subarray(start, end),
    };
  }

  /** The next element if it is of this tag, else null. */
  optional(tag: number): Element | null {
    return this.tag === tag ? this.next(tag) : null;
  }

  /** What is in the next element, which must be of this tag and be read to its end. */
  inside<T>(tag: number, read: (reader: DerReader) => T): T {
    return readAll(this.next(tag).content, read);
  }

  /** All elements that are left, each read by `read`. */
  all<T>(read: (reader: DerReader) => T): readonly T[] {
    const values: T[] = [];
    while (this.tag !== null) values.push(read(this));
    return values;
  }

  /** @throws {DerFault} when there is something left */
  end(): void {
    if (this.tag !== null) throw new DerFault('something left over');
  }

  #length(at: number): { readonly length: number; readonly at: number } {
    const first = this.#bytes[at];
    if (first === undefined) throw new DerFault('cut off');
    if (first < 0x80) return { length: first, at: at + 1 };
    const count = first - 0x80;
    // none is the indefinite form of BER; more than three is longer than anything that is read here
    if (count < 1 || count > 3) throw new DerFault('length');
    let length = 0;
    for (let i = 1; i <= count; i++) length = length * 256 + (this.#bytes[at + i] ?? 0);
    const shortest = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x1_0000 ? 2 : 3;
    if (count !== shortest) throw new DerFault('length');
    return { length, at: at + 1 + count };
  }
}
