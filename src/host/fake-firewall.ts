import { HknockError } from '../errors/hknock-error.ts';
import type { Admission } from '../units/admission.ts';
import type { GrantId, PeerName } from '../units/names.ts';
import { formatServicePort, type IpAddress, type ServicePort } from '../units/network.ts';
import { later, type MonotonicMs } from '../units/time.ts';
import type { Clock } from './clock.ts';
import type { Failures, Firewall, Opening, ProtectedPort, Transaction } from './firewall.ts';

/** A firewall that only remembers: for tests. */
export class FakeFirewall implements Firewall {
  admissions: readonly Admission[] = ['address', 'once'];
  /** All that it was asked to apply, in order. */
  readonly transactions: Transaction[] = [];
  /** Opening for one of these peers fails. */
  readonly refusedPeers = new Set<PeerName>();
  /** There is no room to open for one of these. */
  readonly limitedPeers = new Set<PeerName>();
  /** Closing one of these fails. */
  readonly unclosable = new Set<GrantId>();
  /** The ports protected now; null when it does not run. */
  protected: readonly ProtectedPort[] | null = null;
  /** How it was stopped. */
  left: 'open' | 'shut' | null = null;

  readonly #clock: Clock;
  readonly #open = new Map<GrantId, Opening & { readonly endsAt: MonotonicMs }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(ports: readonly ProtectedPort[]): Promise<void> {
    this.protected = ports;
    return Promise.resolve();
  }

  protect(ports: readonly ProtectedPort[]): Promise<void> {
    this.protected = ports;
    return Promise.resolve();
  }

  apply(transaction: Transaction): Promise<Failures> {
    this.transactions.push(transaction);
    const failures = new Map<GrantId, HknockError>();
    for (const grant of transaction.closes) {
      if (this.unclosable.has(grant)) failures.set(grant, refusal());
      else this.#open.delete(grant);
    }
    for (const opening of transaction.opens) {
      if (this.refusedPeers.has(opening.peer)) {
        failures.set(opening.grant, refusal());
      } else if (this.limitedPeers.has(opening.peer)) {
        failures.set(opening.grant, refusal('limit'));
      } else {
        const endsAt = later(this.#clock.monotonicMs(), opening.lifetimeMs);
        this.#open.set(opening.grant, { ...opening, endsAt });
      }
    }
    return Promise.resolve(failures);
  }

  stop(leave: 'open' | 'shut'): Promise<void> {
    this.protected = null;
    this.left = leave;
    this.#open.clear();
    return Promise.resolve();
  }

  /** What a new connection would meet; it uses up a grant for one. */
  connect(source: IpAddress, port: ServicePort): boolean {
    const nowMs = this.#clock.monotonicMs();
    for (const [grant, { endsAt, ports, ...opening }] of this.#open) {
      const isFor = ports.some((each) => formatServicePort(each) === formatServicePort(port));
      if (endsAt <= nowMs || opening.source !== source || !isFor) continue;
      if (opening.admission === 'once') this.#open.delete(grant);
      return true;
    }
    return false;
  }
}

function refusal(code: 'firewall' | 'limit' = 'firewall'): HknockError {
  return new HknockError(code, 'the test wants it so');
}
