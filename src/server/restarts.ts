import type { Clock, Timer } from '../host/clock.ts';
import type { Log } from '../host/log.ts';

/** A thread that ends at once must not be started again at once, for ever. */
const RESTART_AFTER_MS = 250;

/** Has threads that end by themselves replaced. */
export class Restarts {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #timers = new Set<Timer>();
  #crashed = 0;
  #isStopped = false;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Threads that have ended by themselves. */
  get crashed(): number {
    return this.#crashed;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** One has ended. @param begin starts another; should that not start either, its own end brings the next try */
  after(fault: Error | null, begin: () => Promise<void>): void {
    if (this.#isStopped) return;
    this.#crashed++;
    this.#log.error('thread ended', { fault: fault?.message });
    const timer = this.#clock.after(RESTART_AFTER_MS, () => {
      this.#timers.delete(timer);
      begin().catch(() => undefined); // its end has been told
    });
    this.#timers.add(timer);
  }

  /** From now on threads end because they are to. */
  stop(): void {
    this.#isStopped = true;
    for (const each of this.#timers) each.cancel();
  }
}
