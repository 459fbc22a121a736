import type { Entropy } from '../host/entropy.ts';
import type { MonotonicMs } from '../units/time.ts';
import { Mac } from './mac.ts';

/** How long one secret makes new cookies (wire.md, section 3.2). */
export const EPOCH_MS = 60_000;

/**
 * The secret of the current epoch and that of the one before, drawn at random when first needed.
 * Older ones are gone for good, so whatever was bound to them cannot be checked and cannot be forged.
 */
export class RotatingSecret {
  readonly #entropy: Entropy;
  #epoch: number | null = null;
  #current: Mac | null = null;
  #previous: Mac | null = null;

  constructor(entropy: Entropy) {
    this.#entropy = entropy;
  }

  /** The secret for what was made at `madeAt`; null when that is neither this epoch nor the last. */
  at(madeAt: MonotonicMs, now: MonotonicMs): Mac | null {
    const epoch = Math.floor(now / EPOCH_MS);
    if (epoch !== this.#epoch) this.#rotateTo(epoch);
    const made = Math.floor(madeAt / EPOCH_MS);
    if (made === epoch) return this.#current;
    return made === epoch - 1 ? this.#previous : null;
  }

  #rotateTo(epoch: number): void {
    this.#previous = this.#epoch === epoch - 1 ? this.#current : null;
    this.#current = new Mac(this.#entropy.bytes(32));
    this.#epoch = epoch;
  }
}
