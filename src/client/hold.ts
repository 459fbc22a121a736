import type { HknockError } from '../errors/hknock-error.ts';
import type { Clock, Timer } from '../host/clock.ts';
import { createSystemClock } from '../system/clock.ts';
import { isRenewable } from '../units/admission.ts';
import type { KnockGranted } from './knock.ts';

/** The least time between two renewals, however little is left. */
const LEAST_WAIT_MS = 500;

export interface HoldOptions {
  readonly clock?: Clock;
  /** Told when the grant could not be renewed and has come to its end, or is over already. */
  readonly onLost?: (fault: HknockError) => void;
}

/** A grant that is kept for as long as it is needed. */
export interface Held {
  /** Ends the grant, if its time is not over, and waits a little for the server to say so. Does not reject; safe to call twice. */
  release(): Promise<void>;
}

/**
 * Keeps a grant in force until it is released, by renewing it each time that half of its life is over; those that cannot
 * be renewed just end with it.
 */
export function holdGrant(grant: KnockGranted, options: HoldOptions = {}): Held {
  return new Hold(grant, options);
}

class Hold implements Held {
  readonly #lease: KnockGranted['lease'];
  readonly #clock: Clock;
  readonly #onLost: (fault: HknockError) => void;
  #expiresAt: number;
  #timer: Timer | null = null;
  #released: Promise<void> | null = null;

  constructor(
    { lease, admission, expiresAt }: KnockGranted,
    { clock = createSystemClock(), onLost = () => undefined }: HoldOptions,
  ) {
    this.#lease = lease;
    this.#clock = clock;
    this.#onLost = onLost;
    this.#expiresAt = expiresAt;
    if (isRenewable(admission)) this.#renewLater();
  }

  release(): Promise<void> {
    this.#timer?.cancel();
    this.#released ??= this.#close();
    return this.#released;
  }

  async #close(): Promise<void> {
    // a server that has forgotten the grant would not answer
    if (this.#clock.unixMs() >= this.#expiresAt) return;
    await this.#lease?.close().catch(() => undefined);
  }

  #renewLater(): void {
    const leftMs = this.#expiresAt - this.#clock.unixMs();
    this.#timer = this.#clock.after(Math.max(LEAST_WAIT_MS, leftMs / 2), () => {
      void this.#renew();
    });
  }

  async #renew(): Promise<void> {
    try {
      if (this.#lease === null) return;
      this.#expiresAt = await this.#lease.renew();
    } catch (fault) {
      const { code } = fault as HknockError;
      const isTried = code === 'no-answer' && this.#clock.unixMs() < this.#expiresAt;
      if (!isTried && this.#released === null) this.#onLost(fault as HknockError);
      if (!isTried) return;
    }
    if (this.#released === null) this.#renewLater();
  }
}
