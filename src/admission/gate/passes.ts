import type { Clock, Timer } from '../../host/clock.ts';
import type { GateKey, Opening } from '../../host/firewall.ts';
import type { GrantId } from '../../units/names.ts';

/** A grant for the gate, with what proves it. */
export interface Pass {
  readonly opening: Opening;
  readonly gateKey: GateKey;
  /** Whether it counts from wherever its connection comes, and not from the opening's source alone. */
  readonly isForAnySource?: true;
}

/** Where the gate finds the passes. */
export interface PassBook {
  /** The pass that is offered under this name and has not been used; null when there is none. */
  find(identity: string): Pass | null;
  /** Uses a pass up: only the first to ask for it gets it. */
  take(identity: string): Pass | null;
}

interface Held {
  readonly pass: Pass;
  readonly timer: Timer;
  readonly used: boolean;
}

/** The passes of the live grants: each lets one connection in, and a grant that is renewed gets no second one. */
export class Passes implements PassBook {
  readonly #clock: Clock;
  readonly #byGrant = new Map<GrantId, Held>();
  readonly #byIdentity = new Map<string, Held>();
  readonly #onExpiry: (grant: GrantId) => void;

  constructor(clock: Clock, onExpiry: (grant: GrantId) => void = () => undefined) {
    this.#clock = clock;
    this.#onExpiry = onExpiry;
  }

  /** Makes a pass valid for the grant's life, or longer valid. */
  add(pass: Pass): void {
    const { grant, lifetimeMs } = pass.opening;
    const used = this.#byGrant.get(grant)?.used ?? false;
    this.end(grant);
    const timer = this.#clock.after(lifetimeMs, () => {
      this.end(grant);
      this.#onExpiry(grant);
    });
    this.#hold({ pass, timer, used });
  }

  find(identity: string): Pass | null {
    return this.#byIdentity.get(identity)?.pass ?? null;
  }

  take(identity: string): Pass | null {
    const held = this.#byIdentity.get(identity);
    if (held === undefined) return null;
    this.#byIdentity.delete(identity);
    this.#hold({ ...held, used: true });
    return held.pass;
  }

  /** Whether the grant is one of these. */
  has(grant: GrantId): boolean {
    return this.#byGrant.has(grant);
  }

  end(grant: GrantId): void {
    const held = this.#byGrant.get(grant);
    if (held === undefined) return;
    held.timer.cancel();
    this.#byGrant.delete(grant);
    this.#byIdentity.delete(held.pass.gateKey.identity);
  }

  clear(): void {
    for (const grant of [...this.#byGrant.keys()]) this.end(grant);
  }

  #hold(held: Held): void {
    this.#byGrant.set(held.pass.opening.grant, held);
    if (!held.used) this.#byIdentity.set(held.pass.gateKey.identity, held);
  }
}
