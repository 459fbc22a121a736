import { toHex } from '../bytes/bytes.ts';
import type { MonotonicMs } from '../units/time.ts';

interface Entry {
  readonly expiresAt: MonotonicMs;
  /** Null while the outcome is not known yet. */
  readonly answer: Uint8Array | null;
}

/**
 * The Responses that opened something, each with what it was answered, until their challenges expire (P6).
 * Only Responses with a good proof get in, so strangers cannot fill it; when it is full it takes no more rather than
 * forget one that could then be replayed.
 */
export class ReplayRecord {
  readonly #entries = new Map<string, Entry>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The recorded answer, `pending` while there is none yet, or null for a cookie not seen before. */
  find(cookie: Uint8Array): Uint8Array | 'pending' | null {
    const entry = this.#entries.get(toHex(cookie));
    return entry === undefined ? null : (entry.answer ?? 'pending');
  }

  /** Whether one more can be remembered. */
  hasRoom(now: MonotonicMs): boolean {
    this.#forgetExpired(now);
    return this.#entries.size < this.#capacity;
  }

  /** Takes note of a cookie whose outcome is still open; false when there is no room. */
  begin(cookie: Uint8Array, expiresAt: MonotonicMs, now: MonotonicMs): boolean {
    if (!this.hasRoom(now)) return false;
    this.#entries.set(toHex(cookie), { expiresAt, answer: null });
    return true;
  }

  /** Keeps the answer to a cookie that was begun. */
  conclude(cookie: Uint8Array, answer: Uint8Array): void {
    const key = toHex(cookie);
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#entries.set(key, { ...entry, answer });
  }

  // Entries stand in order of arrival, not quite of expiry: one that waits behind a later-expiring one
  // is forgotten up to 10 s late, which costs a little room and no safety.
  #forgetExpired(now: MonotonicMs): void {
    for (const [key, { expiresAt }] of this.#entries) {
      if (expiresAt >= now) return;
      this.#entries.delete(key);
    }
  }
}
