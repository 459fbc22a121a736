import type { Entropy } from './entropy.ts';

/** Bytes that are different at each call and the same in each run: for tests only. */
export class FakeEntropy implements Entropy {
  #next: number;

  constructor(seed = 1) {
    this.#next = seed;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.#step());
  }

  // xorshift32 (Marsaglia 2003)
  #step(): number {
    this.#next ^= this.#next << 13;
    this.#next ^= this.#next >>> 17;
    this.#next ^= this.#next << 5;
    return this.#next & 0xff;
  }
}
