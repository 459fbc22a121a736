import type { Clock, Timer } from '../../host/clock.ts';
import type { Log } from '../../host/log.ts';
import { applyRules, renderCheck, renderUnwatch, renderWatch, type Watch } from './watch-rules.ts';

/** How soon rules that somebody flushed are put back; knocks are not heard until then, and nothing is open. */
const LOOK_EVERY_MS = 5000;

interface Host {
  readonly clock: Clock;
  readonly log: Log;
}

/** Owns the table that watches ports, and puts it back when somebody has flushed it. */
export class WatchTable {
  readonly #watch: Watch;
  readonly #host: Host;
  #timer: Timer | null = null;
  #looking: Promise<void> = Promise.resolve();
  #removed = false;

  /** @throws {HknockError} `host` when the kernel does not take it; nothing is watched then */
  static async install(watch: Watch, host: Host): Promise<WatchTable> {
    await applyRules(renderWatch(watch));
    const table = new WatchTable(watch, host);
    table.#lookLater();
    return table;
  }

  private constructor(watch: Watch, host: Host) {
    this.#watch = watch;
    this.#host = host;
  }

  /** Takes it away; what cannot be taken away is logged. */
  async remove(): Promise<void> {
    this.#removed = true;
    this.#timer?.cancel();
    await this.#looking;
    await applyRules(renderUnwatch()).catch((fault: unknown) => {
      this.#host.log.error('watched ports stay shut', { fault: String(fault) });
    });
  }

  #lookLater(): void {
    if (this.#removed) return;
    this.#timer = this.#host.clock.after(LOOK_EVERY_MS, () => {
      this.#looking = this.#look().then(() => {
        this.#lookLater();
      });
    });
  }

  async #look(): Promise<void> {
    const isThere = await applyRules(renderCheck()).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    try {
      await applyRules(renderWatch(this.#watch));
      this.#host.log.warn('the table of watched ports was gone and is put back');
    } catch (fault) {
      this.#host.log.error('ports are not watched', { fault: String(fault) });
    }
  }
}
