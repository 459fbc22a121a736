import type { Timer } from '../host/clock.ts';
import type { Mode, ModeContext } from './mode.ts';

/** The system is asked only when a grant is about to end, and then as often as this. */
const LOOK_EVERY_MS = 1000;

/** What it works with. */
type Context = Pick<ModeContext, 'grants' | 'firewall' | 'clock' | 'log'>;

/**
 * Keeps grants in force while UDP flows that came in by them live, as far as policy allows (theory.md, section 3): what UDP has in
 * place of a connection that lives on. Null where the firewall cannot tell.
 */
export function startFlowKeeper(context: Context): Promise<Mode | null> {
  return Promise.resolve(context.firewall.inUse === undefined ? null : new FlowKeeper(context));
}

class FlowKeeper implements Mode {
  readonly name = 'flows';
  readonly #context: Context;
  #timer: Timer | null = null;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;
  #kept = 0;
  #isBroken = false;

  constructor(context: Context) {
    this.#context = context;
    this.#lookLater();
  }

  counters(): Readonly<Record<string, number>> {
    return { kept: this.#kept };
  }

  reload(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    return this.#looking;
  }

  #lookLater(): void {
    this.#timer = this.#context.clock.after(LOOK_EVERY_MS, () => {
      this.#looking = this.#look().then(() => {
        if (!this.#stopped) this.#lookLater();
      });
    });
  }

  async #look(): Promise<void> {
    const { grants, firewall, log } = this.#context;
    const ending = grants.keepable();
    if (ending.length === 0) return;
    try {
      const asked = ending.map(({ id: grant, ...plan }) => ({ grant, ...plan }));
      for (const grant of (await firewall.inUse?.(asked)) ?? []) {
        await grants.keep(grant);
        this.#kept++;
      }
      this.#isBroken = false;
    } catch (fault) {
      // once, and not each second
      if (!this.#isBroken) log.error('flows cannot keep grants', { fault: String(fault) });
      this.#isBroken = true;
    }
  }
}
