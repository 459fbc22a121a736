import type { Clock, Timer } from '../host/clock.ts';
import type { Log } from '../host/log.ts';

/** How soon rules that somebody flushed are put back. */
const LOOK_EVERY_MS = 5000;

/** Rules of ours in the kernel, which others may take away. */
export interface Rules {
  /** As the log names them. */
  readonly name: string;
  /** What the log says when they cannot be put back. */
  readonly without: string;
  /** Whether they are as they should be. */
  look(): Promise<boolean>;
  /** @throws {HknockError} when the kernel does not take them */
  putBack(): Promise<void>;
}

/** Looks after rules in the kernel, and puts them back when somebody has flushed them. */
export class Upkeep {
  readonly #rules: Rules;
  readonly #clock: Clock;
  readonly #log: Log;
  #timer: Timer | null = null;
  #busy: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(rules: Rules, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#rules = rules;
    this.#clock = clock;
    this.#log = log;
    this.#lookLater();
  }

  /** Does work on the rules while nobody looks at them. Rejects as the work does. */
  inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#busy.then(work);
    this.#busy = done.catch(() => undefined);
    return done;
  }

  /** Looks no more, and waits for what is under way. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#busy;
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#timer = this.#clock.after(LOOK_EVERY_MS, () => {
      void this.inTurn(() => this.#look()).then(() => {
        this.#lookLater();
      });
    });
  }

  async #look(): Promise<void> {
    const { name, without } = this.#rules;
    try {
      if (this.#stopped || (await this.#rules.look())) return;
      await this.#rules.putBack();
      this.#log.warn(`${name} was gone and is put back`);
    } catch (fault) {
      this.#log.error(without, { fault: String(fault) });
    }
  }
}
