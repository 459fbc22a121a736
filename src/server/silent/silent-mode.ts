import { setImmediate } from 'node:timers/promises';
import type { ServerFolder } from '../../config/server-folder.ts';
import {
  type SilentCounts,
  SilentTable,
  type SilentTableOptions,
} from '../../firewall/nftables/silent-table.ts';
import type { Timer } from '../../host/clock.ts';
import { SILENT_STEP_MS, silentStepAt, SKEW_STEPS } from '../../silent/numbers.ts';
import { type Kinds, SHUT_HOURS } from '../../silent/odds.ts';
import { OfferedStep } from '../../store/offered-step.ts';
import type { PeerName } from '../../units/names.ts';
import type { Mode, ModeContext } from '../mode.ts';
import { Upkeep } from '../upkeep.ts';
import { formatOdds, guessingOf } from './guessing.ts';
import { type LiveNumber, LiveNumbers } from './live-numbers.ts';
import { type KeyedOffer, offersOf, withKeys } from './offers.ts';
import { SilentPasses } from './silent-passes.ts';

/** Numbers that are made before others have their turn of the event loop: some milliseconds' work. */
const NUMBERS_A_TURN = 512;

/** Numbers that are handed to the kernel together. */
const NUMBERS_A_RUN = 8192;

const NOBODY = 'silent mode lets nobody in';

/** Where the numbers stand. */
export type NumberTable = Pick<
  SilentTable,
  'install' | 'watch' | 'add' | 'renew' | 'remove' | 'counts' | 'end'
>;

/** What of a mode's context it works with. */
type SilentContext = Pick<ModeContext, 'firewall' | 'gate' | 'clock' | 'log'> & {
  readonly folder: SilentFolder;
};

type SilentFolder = Pick<ServerFolder, 'config' | 'peers' | 'responderId'>;

/** Starts silent mode, if the folder asks for it. */
export const startSilentMode = silentModeOver((options) => new SilentTable(options));

/** The same with another table than the kernel's. */
export function silentModeOver(
  createTable: (options: SilentTableOptions) => NumberTable,
): (context: SilentContext) => Promise<Mode | null> {
  return async (context) => {
    const { silent, directory } = context.folder.config;
    if (!silent.enabled) return null;
    const offered = await OfferedStep.open(directory);
    const gatePort = context.gate?.port ?? null;
    const table = createTable({ ...silent, shutHours: SHUT_HOURS, gatePort });
    const mode = new SilentMode(context, { table, offered });
    try {
      await mode.begin();
      return mode;
    } catch (fault) {
      await mode.stop();
      throw fault;
    }
  };
}

interface Parts {
  readonly table: NumberTable;
  readonly offered: OfferedStep;
}

/** Keeps the kernel's numbers in step with the time and the peers (silent.md, section 4). */
class SilentMode implements Mode {
  readonly name = 'silent';
  readonly #context: SilentContext;
  readonly #table: NumberTable;
  readonly #offered: OfferedStep;
  readonly #live = new LiveNumbers();
  readonly #passes = new SilentPasses();
  readonly #upkeep: Upkeep;
  #offers: ReadonlyMap<string, KeyedOffer> = new Map();
  #kinds: Kinds = { slots: 0, hasTcpStealth: false };
  /** What an earlier run, or a table that is gone, has offered. */
  #floor: number;
  #counts: SilentCounts = { admitted: 0, to_gate: 0, wrong: 0, unread: 0 };
  #timer: Timer | null = null;
  #stopped = false;

  constructor(context: SilentContext, { table, offered }: Parts) {
    const { clock, log, gate } = context;
    this.#context = context;
    this.#table = table;
    this.#offered = offered;
    this.#floor = offered.latest;
    gate?.accept(this.#passes);
    const rules = {
      name: "silent mode's table",
      without: NOBODY,
      look: () => this.#look(),
      putBack: () => this.#begin(),
    };
    this.#upkeep = new Upkeep(rules, { clock, log });
  }

  /** @throws {HknockError} `host` or `firewall` */
  begin(): Promise<void> {
    return this.#upkeep.inTurn(async () => {
      this.#takeOver(this.#context.folder);
      await this.#begin();
      this.#refillLater();
    });
  }

  counters(): Readonly<Record<string, number>> {
    return { numbers: this.#live.size, ...this.#counts };
  }

  reload(folder: SilentFolder): Promise<void> {
    return this.#upkeep.inTurn(async () => {
      this.#takeOver(folder);
      await this.#withdraw();
      await this.#table.watch(this.#ports());
      await this.#refill();
    });
  }

  forget(revoked: ReadonlySet<PeerName>): Promise<void> {
    return this.#upkeep
      .inTurn(async () => {
        const left = [...this.#offers].filter(([, { peer }]) => !revoked.has(peer));
        this.#offers = new Map(left);
        await this.#withdraw();
      })
      .catch((fault: unknown) => {
        this.#context.log.error(NOBODY, { fault: String(fault) });
      });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#upkeep.stop();
    this.#passes.clear();
    await this.#table.end();
  }

  #takeOver(folder: SilentFolder): void {
    const { firewall, log } = this.#context;
    const offers = withKeys(offersOf(folder, firewall), folder);
    this.#offers = new Map(offers.map((offer) => [offer.id, offer]));
    this.#kinds = folder.config.silent;
    const { odds } = guessingOf(folder, firewall);
    log.info('silent', { offers: this.#offers.size, guessedInADay: formatOdds(odds) });
  }

  async #begin(): Promise<void> {
    this.#floor = this.#offered.latest;
    this.#live.clear();
    this.#passes.clear();
    await this.#table.install(this.#ports());
    await this.#refill();
  }

  // half of what should go is not gone: rather all goes, and nobody comes in until the next numbers are in force
  async #withdraw(): Promise<void> {
    const withdrawn = this.#live.keepOnly(this.#offers);
    for (const each of withdrawn) this.#passes.remove(each);
    try {
      await this.#table.remove(withdrawn);
    } catch (fault) {
      this.#context.log.warn('all numbers are withdrawn', { fault: String(fault) });
      await this.#table.end();
      await this.#begin();
    }
  }

  // numbers come into force when the step before theirs begins: nothing that happens at the edge of a step is urgent
  #refillLater(): void {
    if (this.#stopped) return;
    const sinceMs = this.#context.clock.unixMs() % SILENT_STEP_MS;
    this.#timer = this.#context.clock.after(SILENT_STEP_MS - sinceMs, () => {
      void this.#upkeep
        .inTurn(() => this.#refill())
        .catch((fault: unknown) => {
          this.#context.log.error('numbers not offered', { fault: String(fault) });
        })
        .then(() => {
          this.#refillLater();
        });
    });
  }

  async #refill(): Promise<void> {
    const step = silentStepAt(this.#context.clock.unixMs());
    for (const each of this.#live.forget(step)) this.#passes.remove(each);
    const last = step + SKEW_STEPS;
    await this.#offered.raise(last);
    for (let each = Math.max(this.#floor + 1, step - SKEW_STEPS); each <= last; each++) {
      await this.#offer(each);
    }
  }

  async #offer(step: number): Promise<void> {
    let waiting: LiveNumber[] = [];
    let made = 0;
    for (const offer of this.#offers.values()) {
      for (const number of this.#live.take(offer, step, this.#kinds)) {
        this.#passes.add(number);
        waiting.push(number);
        if (++made % NUMBERS_A_TURN === 0) await setImmediate();
      }
      if (waiting.length < NUMBERS_A_RUN) continue;
      await this.#add(waiting, step);
      waiting = [];
    }
    await this.#add(waiting, step);
  }

  async #add(numbers: readonly LiveNumber[], step: number): Promise<void> {
    const endsAtMs = (step + 1 + SKEW_STEPS) * SILENT_STEP_MS;
    const leftMs = endsAtMs - this.#context.clock.unixMs();
    const lifetimeMs = Math.max(1, leftMs);
    const fresh = numbers.filter(({ comesAgain }) => !comesAgain);
    await this.#table.add(fresh, lifetimeMs);
    const again = numbers.filter(({ comesAgain }) => comesAgain);
    await this.#table.renew(again, lifetimeMs);
  }

  #ports() {
    return [...new Set([...this.#offers.values()].map(({ port }) => port))];
  }

  async #look(): Promise<boolean> {
    const counts = await this.#table.counts();
    if (counts === null) return false;
    const { unread } = this.#counts;
    this.#counts = counts;
    if (counts.unread > unread) {
      this.#context.log.warn('numbers are not looked at', {
        syns: counts.unread - unread,
        why: 'too many wrong ones, from their source or from all',
      });
    }
    return true;
  }
}
