import { limitKey } from '../bytes/prefix.ts';
import type { Plan } from '../policy/policy.ts';
import type { GrantId, PeerName } from '../units/names.ts';
import type { UnixMs } from '../units/time.ts';

/** A grant in force. */
export interface Grant extends Plan {
  readonly id: GrantId;
  /** For people; what ends a grant is a timer on the monotonic clock. */
  readonly expiresAt: UnixMs;
}

/** How many grants may be in force at a time. */
export interface GrantLimits {
  readonly perPeer: number;
  /** Per IPv4 address or IPv6 /64. */
  readonly perSource: number;
  readonly total: number;
}

/** The grants in force, bounded in all, by peer and by source. Knows no clock: it is told when a grant has ended. */
export class LiveGrants {
  readonly #byId = new Map<GrantId, Grant>();
  readonly #byPeer = new Map<PeerName, Set<Grant>>();
  readonly #countBySource = new Map<string, number>();
  readonly #limits: GrantLimits;

  constructor(limits: GrantLimits) {
    this.#limits = limits;
  }

  /** Whether the limits leave room for one more like this. */
  hasRoomFor({ peer, source }: Plan): boolean {
    const { perPeer, perSource, total } = this.#limits;
    return (
      this.#byId.size < total &&
      this.of(peer).length < perPeer &&
      (this.#countBySource.get(limitKey(source)) ?? 0) < perSource
    );
  }

  /** Puts a grant in force, in place of the one with the same id if there is one. */
  set(grant: Grant): void {
    this.delete(grant.id);
    this.#byId.set(grant.id, grant);
    this.#byPeer.set(grant.peer, (this.#byPeer.get(grant.peer) ?? new Set()).add(grant));
    this.#countSource(grant, 1);
  }

  get(id: GrantId): Grant | null {
    return this.#byId.get(id) ?? null;
  }

  delete(id: GrantId): void {
    const grant = this.#byId.get(id);
    if (grant === undefined) return;
    this.#byId.delete(id);
    const others = this.#byPeer.get(grant.peer);
    others?.delete(grant);
    if (others?.size === 0) this.#byPeer.delete(grant.peer);
    this.#countSource(grant, -1);
  }

  all(): readonly Grant[] {
    return [...this.#byId.values()];
  }

  of(peer: PeerName): readonly Grant[] {
    return [...(this.#byPeer.get(peer) ?? [])];
  }

  #countSource({ source }: Grant, by: 1 | -1): void {
    const key = limitKey(source);
    const next = (this.#countBySource.get(key) ?? 0) + by;
    if (next === 0) this.#countBySource.delete(key);
    else this.#countBySource.set(key, next);
  }
}
