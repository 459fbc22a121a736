import type { Clock } from '../../host/clock.ts';
import type { Log } from '../../host/log.ts';
import { Upkeep } from '../upkeep.ts';
import {
  applyRules,
  readCounts,
  renderUnwatch,
  renderWatch,
  type Watch,
  type WatchCounts,
} from './watch-rules.ts';

interface Host {
  readonly clock: Clock;
  readonly log: Log;
}

/** Owns the table that watches ports. While it is gone knocks are not heard, and nothing is open. */
export class WatchTable {
  readonly #upkeep: Upkeep;
  readonly #log: Log;
  #counts: WatchCounts = { 'over source rate': 0, 'over rate': 0 };

  /** @throws {HknockError} `host` when the kernel does not take it; nothing is watched then */
  static async install(watch: Watch, host: Host): Promise<WatchTable> {
    await applyRules(renderWatch(watch));
    return new WatchTable(watch, host);
  }

  private constructor(watch: Watch, host: Host) {
    const rules = {
      name: 'the table of watched ports',
      without: 'ports are not watched',
      look: () => this.#look(),
      putBack: () => applyRules(renderWatch(watch)),
    };
    this.#upkeep = new Upkeep(rules, host);
    this.#log = host.log;
  }

  /** What the kernel kept back since the rules were last put there, as of the last look. */
  get counts(): WatchCounts {
    return this.#counts;
  }

  /** Takes it away; what cannot be taken away is logged. */
  async remove(): Promise<void> {
    await this.#upkeep.stop();
    await applyRules(renderUnwatch()).catch((fault: unknown) => {
      this.#log.error('watched ports stay shut', { fault: String(fault) });
    });
  }

  async #look(): Promise<boolean> {
    const counts = await readCounts();
    this.#counts = counts ?? this.#counts;
    return counts !== null;
  }
}
