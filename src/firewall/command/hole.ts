import type { GrantId } from '../../units/names.ts';
import type { MonotonicMs } from '../../units/time.ts';

export interface HoleCommands {
  open(): Promise<void>;
  /** Must not reject. */
  close(): Promise<void>;
}

/**
 * One source's way in to one port. Several grants may want it; the commands see a clean open and close, never an open
 * of what is open: some firewalls would then keep two rules, and others lose the one at the first close.
 */
export class Hole {
  readonly #holders = new Map<GrantId, MonotonicMs>();
  #openUntil: MonotonicMs | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Opens, or opens again for longer. Rejects as the command does; it is shut then. */
  hold(grant: GrantId, until: MonotonicMs, commands: HoleCommands): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#openUntil === null || this.#openUntil < until) {
        await this.#shut(commands);
        await commands.open().catch(async (error: unknown) => {
          // a command that failed half-way may have opened
          await commands.close();
          throw error;
        });
        this.#openUntil = until;
      }
      this.#holders.set(grant, until);
    });
  }

  /** Shuts when nobody else holds it open. */
  release(grant: GrantId, commands: HoleCommands): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#holders.delete(grant) && this.#holders.size === 0) await this.#shut(commands);
    });
  }

  /** Whether nothing is open and nothing under way. */
  get isUnused(): boolean {
    return this.#waiting === 0 && this.#holders.size === 0 && this.#openUntil === null;
  }

  async #shut(commands: HoleCommands): Promise<void> {
    if (this.#openUntil === null) return;
    this.#openUntil = null;
    await commands.close();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#waiting++;
    const done = this.#last.then(work).finally(() => this.#waiting--);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
