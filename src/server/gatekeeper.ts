import type { Grants } from '../grants/grants.ts';
import type { Door } from '../host/firewall.ts';
import type { Log } from '../host/log.ts';
import { decide, type Plan, type Policy } from '../policy/policy.ts';
import type { Admission } from '../units/admission.ts';
import { type Knock, type Outcome, refuse } from '../units/knock.ts';

export interface GatekeeperOptions {
  readonly grants: Grants;
  /** Asked at each knock, so that a reload counts at once. */
  readonly policy: () => Policy;
  readonly enforceable: readonly Admission[];
  /** What tells the connection of a grant from others; null when there is nothing free that could. */
  readonly doorOf: (plan: Plan, knock: Knock) => Door | null;
  readonly log: Log;
}

const untold = 'a client that nobody answers can have address and once only';

/**
 * What stands between a verified knock of any mode and a grant: policy and grants (wire.md, section 5.1, steps 12 to 14).
 * The result resolves when the firewall lets the peer in, or with the reason why not.
 */
export function createGatekeeper(options: GatekeeperOptions): (knock: Knock) => Promise<Outcome> {
  const { grants, policy, enforceable, doorOf, log } = options;
  const open = async (plan: Plan, knock: Knock): Promise<Outcome> => {
    const door = doorOf(plan, knock);
    return door === null ? refuse('limit-reached') : grants.open(plan, door);
  };
  return async (knock) => {
    const decision = decide(policy(), knock, enforceable);
    const outcome = 'kind' in decision ? decision : await open(decision, knock);
    if (outcome.kind === 'refused') {
      const { peer, service, observed, isUntold } = knock;
      const { reason } = outcome;
      const why = isUntold === true && reason === 'admission-refused' ? { why: untold } : {};
      log.warn('refused', { peer, service, source: observed.address, reason, ...why });
    }
    return outcome;
  };
}
