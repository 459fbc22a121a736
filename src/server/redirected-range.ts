import {
  closeKnockRange,
  hasKnockRange,
  type KnockRange,
  openKnockRange,
} from '../firewall/nftables/knock-range.ts';
import type { Clock } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import { Upkeep } from './upkeep.ts';

/** Owns the redirection of a range of ports to a socket of ours. */
export class RedirectedRange {
  readonly #upkeep: Upkeep;
  readonly #log: Log;
  #range: KnockRange | null = null;

  constructor(host: { readonly clock: Clock; readonly log: Log }) {
    const rules = {
      name: 'the redirection of knock ports',
      without: 'knock ports are not redirected',
      look: async () => this.#range === null || (await hasKnockRange()),
      putBack: () => this.#open(this.#range),
    };
    this.#upkeep = new Upkeep(rules, host);
    this.#log = host.log;
  }

  /** Redirects that range, or none, in place of the one before. @throws {HknockError} `host`; all is as it was then */
  replace(range: KnockRange | null): Promise<void> {
    return this.#upkeep.inTurn(async () => {
      await this.#open(range);
      this.#range = range;
    });
  }

  /** Gives the ports back; what cannot be given back is logged. */
  async stop(): Promise<void> {
    await this.#upkeep.stop();
    await this.replace(null).catch((fault: unknown) => {
      this.#log.error('knock ports may be redirected still', { fault: String(fault) });
    });
  }

  async #open(range: KnockRange | null): Promise<void> {
    if (range !== null) await openKnockRange(range);
    else if (this.#range !== null) await closeKnockRange();
  }
}
