import type { GrantId } from '../../units/names.ts';
import type { MonotonicMs } from '../../units/time.ts';

export interface HoleCommands {
  readonly open: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * One source's way in to one port. Several grants may want it; the commands see a clean open and close, never an open
 * of what is open: some firewalls would then keep two rules, and others lose the one at the first close.
 */
export class Hole {
  readonly #holders = new Set<GrantId>();
  #open: { readonly until: MonotonicMs; readonly close: () => Promise<void> } | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Opens, or opens again for longer. Rejects as the command does; it is shut then. */
  hold(grant: GrantId, until: MonotonicMs, { open, close }: HoleCommands): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#open === null || this.#open.until < until) {
        await this.#shut().catch(() => undefined);
        await open().catch(async (error: unknown) => {
          // a command that failed half-way may have opened
          await close().catch(() => undefined);
          throw error;
        });
        this.#open = { until, close };
      }
      this.#holders.add(grant);
    });
  }

  /** Shuts when nobody else holds it open. Rejects as the command does; it may be open still then. */
  release(grant: GrantId): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#holders.delete(grant) && this.#holders.size === 0) await this.#shut();
    });
  }

  /** Whether nothing is open and nothing under way. */
  get isUnused(): boolean {
    return this.#waiting === 0 && this.#holders.size === 0;
  }

  async #shut(): Promise<void> {
    const opened = this.#open;
    this.#open = null;
    await opened?.close();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#waiting++;
    const done = this.#last.then(work).finally(() => this.#waiting--);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
