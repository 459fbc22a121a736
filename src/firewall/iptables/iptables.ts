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
import type { Log } from '../../host/log.ts';
import type { GrantId } from '../../units/names.ts';
import { formatServicePort, type ServicePort } from '../../units/network.ts';
import {
  connectionsOf,
  forgetConnections,
  grantsInUse,
  requireConntrack,
} from '../nftables/conntrack.ts';
import { families, sourceAdmissions } from '../nftables/layout.ts';
import { Turns } from '../nftables/turns.ts';
import { refuseAll } from '../refusals.ts';
import { Programs } from './programs.ts';
import {
  renderChains,
  renderDestroy,
  renderFlush,
  renderForget,
  renderKeep,
  renderRemoval,
  renderSets,
} from './rules.ts';
import { SetGrants } from './set-grants.ts';

/** How soon rules that somebody flushed are put back: strangers get in until then. Two programs run for a look. */
const CHECK_EVERY_MS = 1000;

/** The kernel lets go of a rule's sets a moment after the rule has gone. */
const BUSY_AFTER_MS = [10, 20, 50, 100, 200, 500];

const NOT_RUNNING = 'the firewall is not running';

export interface IptablesOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** What stands before each command of the system; nothing if not said. */
  readonly prefix?: readonly string[];
}

/**
 * A firewall in the kernel for hosts without nftables: chains of our own in the mangle table, reached from INPUT, and
 * ipsets for what is open. The same rules as those of the nftables backend, with two differences: a packet's mark is zero
 * after us where we let it in, and on several cores two first packets that come at the same instant may both use one grant for `once`.
 * Each change runs a program or two, some milliseconds.
 */
export function createIptables(options: IptablesOptions): Firewall {
  return new Iptables(options);
}

class Iptables implements Firewall {
  readonly admissions = sourceAdmissions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #programs: Programs;
  readonly #conntrack: readonly string[];
  readonly #grants: SetGrants;
  readonly #turns = new Turns<() => Promise<void>>(async (works) => {
    for (const work of works) await work();
  });
  readonly #ends = new Map<GrantId, Timer>();
  #ports: readonly ServicePort[] = [];
  #check: Timer | null = null;
  #running = false;

  constructor({ clock, log, prefix = [] }: IptablesOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#programs = new Programs(prefix);
    this.#conntrack = [...prefix, 'conntrack'];
    this.#grants = new SetGrants(this.#programs, clock);
  }

  start(ports: readonly ProtectedPort[]): Promise<void> {
    return this.#turns.alone(async () => {
      await this.#programs.require();
      await this.#programs.sets(renderSets());
      await this.#shut(ports.map(({ port }) => port));
      this.#running = true;
      this.#checkLater();
      await requireConntrack(this.#conntrack).catch((error: unknown) => {
        this.#log.warn('connections cannot be cut', { fault: String(error) });
      });
    });
  }

  protect(ports: readonly ProtectedPort[]): Promise<void> {
    return this.#turns.alone(async () => {
      if (!this.#running) throw new HknockError('firewall', NOT_RUNNING);
      await this.#shut(ports.map(({ port }) => port));
    });
  }

  apply(transaction: Transaction): Promise<Failures> {
    return this.#turns.alone(async () => {
      if (!this.#running) return refuseAll(transaction, NOT_RUNNING);
      const failures = await this.#grants.apply(transaction);
      for (const grant of transaction.closes) this.#ends.get(grant)?.cancel();
      for (const { grant, lifetimeMs } of transaction.opens) {
        if (!failures.has(grant)) this.#endAfter(grant, lifetimeMs);
      }
      for (const cut of transaction.cuts) await this.#cut(cut);
      return failures;
    });
  }

  inUse(grants: readonly Used[]): Promise<ReadonlySet<GrantId>> {
    return grantsInUse(grants, this.#conntrack);
  }

  stop(leave: 'open' | 'shut'): Promise<void> {
    return this.#turns.alone(async () => {
      if (!this.#running) return;
      this.#running = false;
      this.#check?.cancel();
      for (const timer of this.#ends.values()) timer.cancel();
      this.#grants.clear();
      if (leave === 'shut') await this.#programs.sets(renderFlush());
      else await this.#remove();
    });
  }

  // ipset's clock has whole seconds: a grant must not last longer than it said
  #endAfter(grant: GrantId, lifetimeMs: number): void {
    const end = (): void => {
      this.#ends.delete(grant);
      this.apply({ opens: [], closes: [grant], cuts: [] }).catch((error: unknown) => {
        this.#log.error('a grant ends up to a second late', { grant, fault: String(error) });
      });
    };
    this.#ends.set(grant, this.#clock.after(lifetimeMs, end));
  }

  async #shut(ports: readonly ServicePort[]): Promise<void> {
    const known = new Set(this.#ports.map(formatServicePort));
    const added = ports.filter((port) => !known.has(formatServicePort(port)));
    await this.#putRules(ports);
    this.#ports = ports;
    // after the ports were shut, so that no connection is made in between
    const wanted = new Set(
      added.filter(({ protocol }) => protocol === 'tcp').map((each) => each.port),
    );
    const connections = await this.#programs.connections();
    const old = connections.filter(({ localPort }) => wanted.has(localPort));
    await this.#programs.sets(old.map(({ remote }) => renderKeep(remote)));
  }

  async #putRules(ports: readonly ServicePort[]): Promise<void> {
    for (const family of families) {
      await this.#programs.rules(family, renderChains(family, ports));
      if (!(await this.#programs.hasJump(family))) await this.#programs.addJump(family);
    }
  }

  async #remove(): Promise<void> {
    for (const family of families) {
      await this.#programs.removeJump(family);
      await this.#programs.rules(family, renderRemoval(family));
    }
    // made first: ipset refuses to destroy what somebody has destroyed already
    const lines = [...renderSets(), ...renderDestroy()];
    for (const delayMs of BUSY_AFTER_MS) {
      if ((await this.#programs.sets(lines)) !== 'busy') return;
      await new Promise<void>((resolve) => this.#clock.after(delayMs, resolve));
    }
    this.#log.warn('our sets are left, empty: the kernel still uses them');
  }

  // first out of the set of old connections: it would let the next packet in again
  async #cut(cut: Cut): Promise<void> {
    const connections = await connectionsOf(cut, this.#conntrack);
    await this.#programs.sets(connections.map(({ remote }) => renderForget(remote)));
    await forgetConnections(cut, this.#conntrack);
  }

  #checkLater(): void {
    this.#check = this.#clock.after(CHECK_EVERY_MS, () => {
      const looked = this.#turns.alone(() => this.#putBack());
      void looked
        .catch((error: unknown) => {
          this.#log.error('the firewall cannot be checked', { fault: String(error) });
        })
        .then(() => {
          if (this.#running) this.#checkLater();
        });
    });
  }

  async #putBack(): Promise<void> {
    if (!this.#running) return;
    const there = await Promise.all(families.map((family) => this.#programs.hasJump(family)));
    if (there.every(Boolean)) return;
    this.#log.warn('our firewall rules were gone and are put back');
    await this.#putRules(this.#ports);
  }
}
