import { latin1 } from '../bytes/bytes.ts';
import { limitKey } from '../bytes/prefix.ts';
import { type FloodLimits, floodLimits, floodMemory } from '../units/flood-limits.ts';
import { type Endpoint, formatEndpoint } from '../units/network.ts';
import type { MonotonicMs } from '../units/time.ts';
import { Remembered } from './remembered.ts';
import { TokenBuckets } from './token-buckets.ts';

/** Proven sources remembered; only a proof makes one. */
const KNOWN = 16_384;

/** Entries of each other table. All of them together take some megabytes. */
const ENTRIES = 4096;

/** Says whether there is time for a datagram that opened. */
export type Admits = (bytes: Uint8Array, source: Endpoint, now: MonotonicMs) => boolean;

/** A Request or Response. */
export interface Arriving {
  readonly bytes: Uint8Array;
  readonly source: Endpoint;
  /** Whether it is of the length of a Response. */
  readonly isResponse: boolean;
}

/**
 * Chooses among more datagrams than can be judged, by the steps 3 to 8 of shield.md, section 2. It refuses no source and no tag
 * (decision 8): those whom we answered before go first, and the others share what is left.
 */
export class Crowd {
  readonly #known = new Remembered(1000 * floodMemory.knownSeconds, KNOWN);
  readonly #awaited = new Remembered(1000 * floodMemory.awaitedSeconds, ENTRIES);
  readonly #repeated = new Remembered(1000 * floodMemory.repeatedSeconds, ENTRIES);
  readonly #busy = new Remembered(1000 * floodMemory.busySeconds, ENTRIES);
  readonly #buckets: Readonly<Record<keyof FloodLimits, TokenBuckets>>;

  constructor(limits: FloodLimits = floodLimits) {
    const bucketsOf = (name: keyof FloodLimits): TokenBuckets =>
      new TokenBuckets(limits[name], ENTRIES);
    this.#buckets = {
      known: bucketsOf('known'),
      allKnown: bucketsOf('allKnown'),
      awaited: bucketsOf('awaited'),
      allAwaited: bucketsOf('allAwaited'),
      tag: bucketsOf('tag'),
      crowd: bucketsOf('crowd'),
      source: bucketsOf('source'),
      busy: bucketsOf('busy'),
      copies: bucketsOf('copies'),
    };
  }

  /** A Grant went there, so somebody proved himself from there. */
  granted({ address }: Endpoint, now: MonotonicMs): void {
    this.#known.add(limitKey(address), now);
  }

  /** A Challenge went there. */
  challenged(to: Endpoint, now: MonotonicMs): void {
    this.#awaited.add(formatEndpoint(to), now);
  }

  /**
   * Whether a datagram is to be judged.
   * @param share of what the crowd gets when we can do what we should, from 0 to 1
   */
  admits(arriving: Arriving, share: number, now: MonotonicMs): boolean {
    const nonce = latin1(arriving.bytes, 16, 24);
    if (this.#repeated.has(nonce, now)) return false;
    const source = limitKey(arriving.source.address);
    if (this.#isExpected(arriving, source, now)) return true;
    return this.#hasRoom(arriving, source, { share, now }) && this.#learn(nonce, source, now);
  }

  #isExpected(arriving: Arriving, source: string, now: MonotonicMs): boolean {
    if (this.#known.has(source, now) && this.#takeBoth('known', source, now)) return true;
    if (!arriving.isResponse) return false;
    const endpoint = formatEndpoint(arriving.source);
    return this.#awaited.has(endpoint, now) && this.#takeBoth('awaited', endpoint, now);
  }

  #hasRoom(
    { bytes }: Arriving,
    source: string,
    { share, now }: { readonly share: number; readonly now: MonotonicMs },
  ): boolean {
    const { tag, crowd, busy } = this.#buckets;
    const price = 1 / share;
    if (this.#busy.has(source, now) && !busy.take(ALL, now, price)) return false;
    const budget = `${latin1(bytes, 0, 8)}${String(bytes.length)}`;
    return tag.take(budget, now, price) && crowd.take(ALL, now, price);
  }

  // of what got through only: what strangers can make at will must not fill the tables
  #learn(nonce: string, source: string, now: MonotonicMs): boolean {
    const { copies, source: sources } = this.#buckets;
    if (!copies.take(nonce, now)) {
      this.#repeated.add(nonce, now);
      return false;
    }
    if (!sources.take(source, now)) this.#busy.add(source, now);
    return true;
  }

  #takeBoth(of: 'known' | 'awaited', key: string, now: MonotonicMs): boolean {
    const all = this.#buckets[of === 'known' ? 'allKnown' : 'allAwaited'];
    return this.#buckets[of].take(key, now) && all.take(ALL, now);
  }
}

/** The key of what is counted for all together. */
const ALL = '';
