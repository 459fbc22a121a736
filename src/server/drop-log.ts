import { TokenBuckets } from '../guard/token-buckets.ts';
import type { Clock } from '../host/clock.ts';
import type { Log, LogFields } from '../host/log.ts';

/** Lines of one reason: enough to see who has trouble, too few to fill a disk. */
const RATE = { perSecond: 0.2, burst: 5 };

/** More reasons than any mode has. */
const REASONS = 64;

/** Logs why datagrams were dropped, so many of each reason and no more: strangers must not write our log. */
export class DropLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #event: string;
  readonly #buckets = new TokenBuckets(RATE, REASONS);
  readonly #unsaid = new Map<string, number>();

  /** @param event what each line says, such as `sknock dropped` */
  constructor(event: string, { log, clock }: { readonly log: Log; readonly clock: Clock }) {
    this.#event = event;
    this.#log = log;
    this.#clock = clock;
  }

  /** Says one more, or counts it for the next line of that reason. */
  say(reason: string, fields: LogFields): void {
    const unsaid = this.#unsaid.get(reason) ?? 0;
    if (!this.#buckets.take(reason, this.#clock.monotonicMs())) {
      this.#unsaid.set(reason, unsaid + 1);
      return;
    }
    this.#unsaid.delete(reason);
    this.#log.warn(this.#event, { reason, ...fields, ...(unsaid > 0 && { unsaid }) });
  }
}
