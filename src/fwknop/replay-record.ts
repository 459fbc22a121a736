import type { UnixMs } from '../units/time.ts';

/** One packet that has been taken. */
export interface SeenPacket {
  /** SHA-256 of the whole packet, hexadecimal. */
  readonly digest: string;
  /** What the packet said of its time. */
  readonly sentAt: UnixMs;
}

/**
 * The packets that were taken, each for as long as its timestamp would be accepted. Only packets with a good HMAC get in; when
 * it is full it takes no more rather than forget one that could then be replayed. A clock that is set back brings none back
 * either: what is as old as a packet that was forgotten stays too old.
 */
export class SpaReplayRecord {
  readonly #seen = new Map<string, UnixMs>();
  readonly #capacity: number;
  #forgottenUpTo: UnixMs;

  /** @param forgottenUpTo as an earlier record left it */
  constructor(capacity: number, forgottenUpTo = 0 as UnixMs) {
    this.#capacity = capacity;
    this.#forgottenUpTo = forgottenUpTo;
  }

  /** Nothing sent then or before is taken any more. */
  get forgottenUpTo(): UnixMs {
    return this.#forgottenUpTo;
  }

  /** The packets that are remembered, in order of arrival. */
  get packets(): readonly SeenPacket[] {
    return [...this.#seen].map(([digest, sentAt]) => ({ digest, sentAt }));
  }

  has(digest: string): boolean {
    return this.#seen.has(digest);
  }

  /** Takes note of a packet; false when there is no room. */
  add({ digest, sentAt }: SeenPacket): boolean {
    if (this.#seen.size >= this.#capacity) return false;
    this.#seen.set(digest, sentAt);
    return true;
  }

  /** Lets go of all that was sent before a time. */
  forget(before: UnixMs): void {
    for (const [digest, sentAt] of this.#seen) {
      if (sentAt >= before) continue;
      this.#seen.delete(digest);
      if (sentAt > this.#forgottenUpTo) this.#forgottenUpTo = sentAt;
    }
  }
}
