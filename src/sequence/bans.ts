import { limitKey } from '../bytes/prefix.ts';
import type { IpAddress } from '../units/network.ts';
import { type DurationMs, later, type MonotonicMs } from '../units/time.ts';

/**
 * Sources whose knocks are ignored until a time, an IPv6 source with its /64. When there is no room, the ban that was
 * pronounced first goes: a ban that is lost lets nobody in who cannot knock.
 */
export class Bans {
  readonly #ends = new Map<string, MonotonicMs>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Bans a source from now; a ban that lasts longer already stays. */
  add(source: IpAddress, banMs: DurationMs, now: MonotonicMs): void {
    const key = limitKey(source);
    const end = later(now, banMs);
    const before = this.#ends.get(key);
    if (before !== undefined && before >= end) return;
    this.#ends.delete(key);
    this.#makeRoom(now);
    this.#ends.set(key, end);
  }

  has(source: IpAddress, now: MonotonicMs): boolean {
    if (this.#ends.size === 0) return false;
    const key = limitKey(source);
    const end = this.#ends.get(key);
    if (end === undefined) return false;
    if (now < end) return true;
    this.#ends.delete(key);
    return false;
  }

  #makeRoom(now: MonotonicMs): void {
    if (this.#ends.size < this.#capacity) return;
    for (const [key, end] of this.#ends) if (end <= now) this.#ends.delete(key);
    for (const oldest of this.#ends.keys()) {
      if (this.#ends.size < this.#capacity) return;
      this.#ends.delete(oldest);
    }
  }
}
