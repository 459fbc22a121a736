import { HknockError } from '../../errors/hknock-error.ts';
import type { Clock, Timer } from '../../host/clock.ts';
import type {
  Cut,
  Failures,
  Firewall,
  ProtectedPort,
  Transaction,
  Used,
} from '../../host/firewall.ts';
import type { Log, LogFields } from '../../host/log.ts';
import type { GrantId } from '../../units/names.ts';
import { refuseAll } from '../refusals.ts';
import { connectionsOf, forgetConnections, grantsInUse, requireConntrack } from './conntrack.ts';
import { GrantChanges } from './grant-changes.ts';
import { HeldGrants } from './held-grants.ts';
import { KernelTable } from './kernel-table.ts';
import { families, kernelAdmissions, type TableOptions } from './layout.ts';
import { Turns } from './turns.ts';

/**
 * How soon a table that somebody flushed is put back, when no grant asks for it before: strangers get in until then. A
 * look takes a tenth of a millisecond. (nft monitor would tell at once, but it also hears of every grant.)
 */
const CHECK_EVERY_MS = 250;

/** Where nft does not work, it is not asked so often. */
const CHECK_AGAIN_MS = 1000;

const NOT_RUNNING = 'the firewall is not running';

export interface NftablesOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Program and first arguments; `['nft']` if not said. */
  readonly nft?: readonly string[];
  /** The same for conntrack, which only cuts need. */
  readonly conntrack?: readonly string[];
  readonly table: TableOptions;
}

/**
 * A firewall in the kernel: a table of our own, `inet hknock`, beside whatever else there is, and no other is touched.
 * It drops what comes in to a protected port unless it belongs to an established connection, to a grant, or comes
 * over loopback. Other tables still judge what it lets in. Grants end by the kernel's own clock. The conntrack mark of
 * connections to protected ports, and of no others, is set to a number beginning with 0x6b.
 */
export function createNftables(options: NftablesOptions): Firewall {
  return new Nftables(options);
}

interface Asked {
  readonly transaction: Transaction;
  readonly answer: (failures: Failures) => void;
  readonly fail: (error: unknown) => void;
}

class Nftables implements Firewall {
  readonly admissions = kernelAdmissions;
  readonly prefixes = true;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #conntrack: readonly string[];
  readonly #held: HeldGrants;
  readonly #table: KernelTable;
  readonly #turns = new Turns<Asked>((asked) => this.#applyAll(asked));
  #cuts: Promise<void> = Promise.resolve();
  #running = false;
  #check: Timer | null = null;
  /** Whether there has been a grant for `port` since it was last looked who guesses. */
  #isGuessedAt = false;

  constructor(options: NftablesOptions) {
    const { clock, log, nft = ['nft'], conntrack = ['conntrack'], table } = options;
    this.#clock = clock;
    this.#log = log;
    this.#conntrack = conntrack;
    this.#held = new HeldGrants(clock);
    this.#table = new KernelTable({ command: nft, clock, log, table }, this.#held);
  }

  start(ports: readonly ProtectedPort[]): Promise<void> {
    return this.#turns.alone(async () => {
      await this.#table.install(ports.map(({ port }) => port));
      this.#running = true;
      this.#checkLater();
      await requireConntrack(this.#conntrack).catch((error: unknown) => {
        this.#log.warn('connections cannot be cut', faultFields(error));
      });
    });
  }

  protect(ports: readonly ProtectedPort[]): Promise<void> {
    return this.#turns.alone(async () => {
      // a table that is gone would be put back
      if (!this.#running) throw new HknockError('firewall', NOT_RUNNING);
      await this.#table.protect(ports.map(({ port }) => port));
    });
  }

  apply(transaction: Transaction): Promise<Failures> {
    return new Promise((answer, fail) => {
      this.#turns.add({ transaction, answer, fail });
    });
  }

  inUse(grants: readonly Used[]): Promise<ReadonlySet<GrantId>> {
    return grantsInUse(grants, this.#conntrack);
  }

  async stop(leave: 'open' | 'shut'): Promise<void> {
    await this.#cuts;
    return this.#turns.alone(async () => {
      if (!this.#running) return;
      this.#running = false;
      this.#check?.cancel();
      this.#held.clear();
      await this.#table.end(leave);
    });
  }

  async #applyAll(asked: readonly Asked[]): Promise<void> {
    const opens = asked.flatMap(({ transaction }) => transaction.opens);
    if (opens.some(({ admission }) => admission === 'port')) this.#isGuessedAt = true;
    const changes = new GrantChanges(this.#table, this.#held);
    const failures = this.#running
      ? await changes.apply(asked.map(({ transaction }) => transaction))
      : asked.map(({ transaction }) => refuseAll(transaction, NOT_RUNNING));
    asked.forEach(({ transaction: { cuts }, answer, fail }, at) => {
      const told: Failures = failures[at] ?? new Map();
      if (cuts.length === 0 || !this.#running) answer(told);
      else {
        void this.#cutAll(cuts).then((error) => {
          if (error === null || told.size > 0) answer(told);
          else fail(error);
        });
      }
    });
    // Before a change nft reads all sets, unless they are as it knows them; that is half of the time of the change. So it does that
    // after the one before, when those who wait for that have been told, and not when a grant waits for it.
    setImmediate(() => {
      if (this.#running && this.#turns.isIdle) this.#table.readAhead();
    });
  }

  // Beside the grants, which must not wait for a look through the whole table of connections. Gives what went wrong.
  async #cutAll(cuts: readonly Cut[]): Promise<unknown> {
    const results = await Promise.allSettled(cuts.map((cut) => this.#cutInTurn(cut)));
    return results.find((each) => each.status === 'rejected')?.reason ?? null;
  }

  #cutInTurn(cut: Cut): Promise<void> {
    const done = this.#cuts.then(() => this.#cut(cut));
    this.#cuts = done.catch((error: unknown) => {
      this.#logFault('connections were not cut', error);
    });
    return done;
  }

  // first out of the set of old connections: it would let the next packet in again
  async #cut(cut: Cut): Promise<void> {
    const connections = await connectionsOf(cut, this.#conntrack);
    await this.#turns.alone(() => this.#table.forget(connections));
    await forgetConnections(cut, this.#conntrack);
  }

  #checkLater(delayMs = CHECK_EVERY_MS): void {
    this.#check = this.#clock.after(delayMs, () => {
      void this.#checkNow().then((nextMs) => {
        if (this.#running) this.#checkLater(nextMs);
      });
    });
  }

  /** Gives how soon to look again. */
  async #checkNow(): Promise<number> {
    try {
      await this.#turns.alone(async () => {
        if (!this.#running) return;
        await this.#table.check();
        await new GrantChanges(this.#table, this.#held).closeLeftovers();
        // also for grants that have ended since: who is noted as a guesser would be kept from his next one
        if (this.#isGuessedAt) await this.#closeGuessed();
        this.#isGuessedAt = this.#held.all().some(({ admission }) => admission === 'port');
      });
      return CHECK_EVERY_MS;
    } catch (error) {
      this.#logFault('the firewall cannot be checked', error);
      return CHECK_AGAIN_MS;
    }
  }

  async #closeGuessed(): Promise<void> {
    const spent = await Promise.all(families.map((family) => this.#table.spentSources(family)));
    for (const source of spent.flat()) {
      const grants = await new GrantChanges(this.#table, this.#held).closeGuessed(source);
      this.#log.warn('somebody guesses at ports, grants closed', { source, grants });
    }
  }

  #logFault(event: string, error: unknown): void {
    this.#log.error(event, faultFields(error));
  }
}

function faultFields(error: unknown): LogFields {
  return { fault: String(error), hint: error instanceof HknockError ? error.hint : undefined };
}
