import type { Entropy } from '../host/entropy.ts';
import { encodeUint64 } from '../bytes/integer.ts';
import type { MonotonicMs } from '../units/time.ts';
import { Mac } from './mac.ts';

/** How long one secret makes new cookies (wire.md, section 3.2). */
export const EPOCH_MS = 60_000;

/**
 * The secret of the current epoch and that of the one before, drawn at random when first needed.
 * Older ones are gone for good, so whatever was bound to them cannot be checked and cannot be forged.
 * Under a root that several share, each of them comes to the same secrets by itself, and has that of the last epoch too.
 */
export class RotatingSecret {
  readonly #entropy: Entropy;
  readonly #root: Mac | null;
  #epoch: number | null = null;
  #current: Mac | null = null;
  #previous: Mac | null = null;

  /** @param root 32 bytes, drawn by the first of those who share it; null when nobody else has to know the secrets */
  constructor(entropy: Entropy, root: Uint8Array | null = null) {
    this.#entropy = entropy;
    this.#root = root === null ? null : new Mac(root);
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
    this.#previous = this.#epoch === epoch - 1 ? this.#current : this.#derive(epoch - 1);
    this.#current = this.#derive(epoch) ?? new Mac(this.#entropy.bytes(32));
    this.#epoch = epoch;
  }

  /** Null without a root, and for what was before the first epoch. */
  #derive(epoch: number): Mac | null {
    if (this.#root === null || epoch < 0) return null;
    const number = new Uint8Array(8);
    encodeUint64(epoch, number, 0);
    return new Mac(this.#root.of(number));
  }
}
