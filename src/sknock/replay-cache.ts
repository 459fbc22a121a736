/** A request that has opened something. */
export interface SeenRequest {
  readonly issuedAtUnixS: number;
  /** Tells it from all others; see `digestOf` in `responder.ts`. */
  readonly digest: string;
}

/**
 * The requests of the window, so that none opens twice (sknock.md, section 6). Only those with a good signature get in; when it is
 * full it takes no more rather than forget one that could then be replayed.
 */
export class ReplayCache {
  readonly #capacity: number;
  readonly #bySecond = new Map<number, Set<string>>();
  #size = 0;
  #forgottenUntilUnixS = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#size;
  }

  /** The latest second whose requests have been forgotten. */
  get forgottenUntilUnixS(): number {
    return this.#forgottenUntilUnixS;
  }

  /**
   * Whether a request has been here, or is so old that it may have been forgotten. The latter is outside the window
   * unless the clock has been set back since.
   */
  has({ issuedAtUnixS, digest }: SeenRequest): boolean {
    if (issuedAtUnixS <= this.#forgottenUntilUnixS) return true;
    return this.#bySecond.get(issuedAtUnixS)?.has(digest) ?? false;
  }

  /** Whether one more can be remembered. */
  hasRoom(): boolean {
    return this.#size < this.#capacity;
  }

  add({ issuedAtUnixS, digest }: SeenRequest): void {
    const digests = this.#bySecond.get(issuedAtUnixS) ?? new Set();
    if (!digests.has(digest)) this.#size++;
    this.#bySecond.set(issuedAtUnixS, digests.add(digest));
  }

  /** Forgets what was issued before a second. */
  forgetBefore(unixS: number): void {
    for (const [second, digests] of this.#bySecond) {
      if (second >= unixS) continue;
      this.#bySecond.delete(second);
      this.#size -= digests.size;
      this.forgetUntil(second);
    }
  }

  /** Takes no request any more that was issued up to this second. */
  forgetUntil(unixS: number): void {
    this.#forgottenUntilUnixS = Math.max(this.#forgottenUntilUnixS, unixS);
  }

  /** All that are remembered. */
  *all(): Generator<SeenRequest> {
    for (const [issuedAtUnixS, digests] of this.#bySecond) {
      for (const digest of digests) yield { issuedAtUnixS, digest };
    }
  }
}
