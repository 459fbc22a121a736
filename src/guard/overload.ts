import type { MonotonicMs } from '../units/time.ts';

/** What was seen since the last look, a tenth of a second ago or longer. */
export interface Look {
  /** The part of the time in which there was work, from 0 to 1. */
  readonly busy: number;
  /** Datagrams that were not judged because there was too much. */
  readonly turnedAway: number;
  readonly now: MonotonicMs;
}

/** How far apart looks are. */
export const LOOK_EVERY_MS = 100;

/** Overload begins when this much of the time was work in so many looks one after the other. */
const HOT = 0.9;
const HOT_LOOKS = 2;

/** It ends when less than this was work, and nobody had to be turned away, for so long. */
const COOL = 0.6;
const COOL_MS = 2000;

/** However little can be done, one in so many of the crowd is judged. */
const LEAST_SHARE = 1 / 32;

/**
 * Whether there is more than can be done (shield.md, section 5). Two marks and two times keep it from going back and forth; while
 * somebody has to be turned away it is not over, however little work is left by that.
 */
export class Overload {
  #isOn = false;
  #hotLooks = 0;
  #coolSince: MonotonicMs | null = null;
  #share = 1;

  get isOn(): boolean {
    return this.#isOn;
  }

  /** How much of its budgets the crowd gets, so that there is time left. */
  get share(): number {
    return this.#share;
  }

  /** Takes a look; says what it changed. */
  look({ busy, turnedAway, now }: Look): 'began' | 'ended' | null {
    if (!this.#isOn) return this.#begins(busy) ? 'began' : null;
    if (busy >= HOT) this.#share = Math.max(LEAST_SHARE, this.#share / 2);
    else if (busy < COOL) this.#share = Math.min(1, this.#share * 1.25);
    return this.#ends(busy < COOL && turnedAway === 0, now) ? 'ended' : null;
  }

  #begins(busy: number): boolean {
    this.#hotLooks = busy >= HOT ? this.#hotLooks + 1 : 0;
    if (this.#hotLooks < HOT_LOOKS) return false;
    this.#isOn = true;
    this.#share = 1;
    this.#coolSince = null;
    return true;
  }

  #ends(isCool: boolean, now: MonotonicMs): boolean {
    this.#coolSince = isCool ? (this.#coolSince ?? now) : null;
    if (this.#coolSince === null || now - this.#coolSince < COOL_MS) return false;
    this.#isOn = false;
    this.#hotLooks = 0;
    return true;
  }
}
