import { limitKey } from '../bytes/prefix.ts';
import type { Grants } from '../grants/grants.ts';
import { type Rate, TokenBuckets } from '../guard/token-buckets.ts';
import type { Clock } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import { decide, type Policy, refuse } from '../policy/policy.ts';
import type { Admission } from '../units/admission.ts';
import type { Knock, Outcome } from '../units/knock.ts';

/** Peers and sources whose knocking is remembered at a time; more than that in a minute is no longer a server's normal day. */
const BUCKETS = 65_536;

export interface GatekeeperOptions {
  readonly grants: Grants;
  /** Asked at each knock, so that a reload counts at once. */
  readonly policy: () => Policy;
  readonly enforceable: readonly Admission[];
  readonly peerKnocks: Rate;
  readonly sourceKnocks: Rate;
  readonly clock: Clock;
  readonly log: Log;
}

/** What stands between a verified knock of any mode and a grant: limits, policy, grants (wire.md, section 5.1, steps 11 to 14). */
export class Gatekeeper {
  readonly #options: GatekeeperOptions;
  readonly #peers: TokenBuckets;
  readonly #sources: TokenBuckets;

  constructor(options: GatekeeperOptions) {
    this.#options = options;
    this.#peers = new TokenBuckets(options.peerKnocks, BUCKETS);
    this.#sources = new TokenBuckets(options.sourceKnocks, BUCKETS);
  }

  /** Resolves when the firewall lets the peer in, or with the reason why not. */
  async admit(knock: Knock): Promise<Outcome> {
    const outcome = await this.#judge(knock);
    if (outcome.kind === 'refused') {
      const { peer, service, observed } = knock;
      const { reason } = outcome;
      this.#options.log.warn('refused', { peer, service, source: observed.address, reason });
    }
    return outcome;
  }

  async #judge(knock: Knock): Promise<Outcome> {
    const { grants, policy, enforceable, clock } = this.#options;
    const now = clock.monotonicMs();
    const source = limitKey(knock.observed.address);
    if (!this.#peers.take(knock.peer, now) || !this.#sources.take(source, now)) {
      return refuse('limit-reached');
    }
    const decision = decide(policy(), knock, enforceable);
    return 'kind' in decision ? decision : grants.open(decision);
  }
}
