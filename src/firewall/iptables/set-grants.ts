import { HknockError } from '../../errors/hknock-error.ts';
import type { Clock } from '../../host/clock.ts';
import type { Failures, Opening, Transaction } from '../../host/firewall.ts';
import type { GrantId } from '../../units/names.ts';
import { type Held, HeldGrants, type KernelOpening } from '../nftables/held-grants.ts';
import { sourceAdmissions, MAX_LANES } from '../nftables/layout.ts';
import { refuseAdmission } from '../refusals.ts';
import type { Programs, SetFault } from './programs.ts';
import { renderClose, renderOpen } from './rules.ts';

/** Keeps the sets in step with the grants. One call at a time. */
export class SetGrants {
  readonly #programs: Programs;
  readonly #held: HeldGrants;

  constructor(programs: Programs, clock: Clock) {
    this.#programs = programs;
    this.#held = new HeldGrants(clock);
  }

  /** Gives the grants that could not be opened or closed. */
  async apply({ closes, opens }: Transaction): Promise<Failures> {
    const failures = new Map<GrantId, HknockError>();
    const renewed = new Set(opens.map(({ grant }) => grant));
    for (const grant of closes) {
      const fault = await this.#close(grant);
      if (fault !== null && !renewed.has(grant)) failures.set(grant, fault);
    }
    for (const opening of opens) {
      const fault = await this.#open(opening);
      if (fault !== null) failures.set(opening.grant, fault);
    }
    return failures;
  }

  /** Forgets all grants; the sets stay as they are. */
  clear(): void {
    this.#held.clear();
  }

  async #close(grant: GrantId): Promise<HknockError | null> {
    const held = this.#held.release(grant);
    return held === null ? null : this.#delete(held);
  }

  async #delete(held: Held): Promise<HknockError | null> {
    const fault = await this.#ask(held.ports.map((port) => renderClose(held, port)));
    return fault === null || fault instanceof HknockError ? fault : refusal(fault);
  }

  async #open(opening: Opening): Promise<HknockError | null> {
    await this.#close(opening.grant);
    if (!isForKernel(opening)) return refuseAdmission(opening);
    const { free, others } = this.#held.choose(opening, MAX_LANES[opening.admission]);
    let fault: SetFault | HknockError | null = 'exists';
    // a lane in which another grant stands may be free all the same: the kernel may have used that up
    for (const lane of free === null ? others : [free, ...others]) {
      fault = await this.#add(this.#held.place(opening, lane), opening.lifetimeMs);
      if (fault !== 'exists') break;
    }
    return fault === null || fault instanceof HknockError ? fault : refusal(fault);
  }

  // port by port: what ipset refuses may be another's, and must stay when the rest is taken back
  async #add(held: Held, lifetimeMs: number): Promise<SetFault | HknockError | null> {
    for (const [at, port] of held.ports.entries()) {
      const fault = await this.#ask([renderOpen(held, port, lifetimeMs)]);
      if (fault === null) continue;
      await this.#ask(held.ports.slice(0, at).map((each) => renderClose(held, each)));
      return fault;
    }
    this.#held.hold(held);
    return null;
  }

  async #ask(lines: readonly string[]): Promise<SetFault | HknockError | null> {
    try {
      return await this.#programs.sets(lines);
    } catch (cause) {
      return new HknockError('firewall', 'ipset could not be asked', { cause });
    }
  }
}

function refusal(fault: SetFault): HknockError {
  return fault === 'full'
    ? new HknockError('limit', 'the firewall has no room for more grants')
    : new HknockError('limit', 'too many grants wait for the same address and port');
}

function isForKernel(opening: Opening): opening is KernelOpening {
  return sourceAdmissions.some((each) => each === opening.admission);
}
