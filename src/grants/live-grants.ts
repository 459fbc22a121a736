import { limitKey } from '../bytes/prefix.ts';
import type { Plan } from '../policy/policy.ts';
import type { GrantId, PeerName } from '../units/names.ts';
import type { IpAddress } from '../units/network.ts';
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
  readonly #bySource = new Map<string, Set<Grant>>();
  readonly #limits: GrantLimits;

  constructor(limits: GrantLimits) {
    this.#limits = limits;
  }

  /** Whether the limits leave room for one more like this. */
  hasRoomFor({ peer, source }: Plan): boolean {
    const { perPeer, perSource, total } = this.#limits;
    return (
      this.#byId.size < total &&
      (this.#byPeer.get(peer)?.size ?? 0) < perPeer &&
      (this.#bySource.get(limitKey(source))?.size ?? 0) < perSource
    );
  }

  /** Puts a grant in force, in place of the one with the same id if there is one. */
  set(grant: Grant): void {
    this.delete(grant.id);
    this.#byId.set(grant.id, grant);
    add(this.#byPeer, grant.peer, grant);
    add(this.#bySource, limitKey(grant.source), grant);
  }

  get(id: GrantId): Grant | null {
    return this.#byId.get(id) ?? null;
  }

  delete(id: GrantId): void {
    const grant = this.#byId.get(id);
    if (grant === undefined) return;
    this.#byId.delete(id);
    remove(this.#byPeer, grant.peer, grant);
    remove(this.#bySource, limitKey(grant.source), grant);
  }

  all(): readonly Grant[] {
    return [...this.#byId.values()];
  }

  of(peer: PeerName): readonly Grant[] {
    return [...(this.#byPeer.get(peer) ?? [])];
  }

  /** Those for an address. */
  from(source: IpAddress): readonly Grant[] {
    const near = this.#bySource.get(limitKey(source)) ?? [];
    return [...near].filter((grant) => grant.source === source);
  }
}

function add<Key>(index: Map<Key, Set<Grant>>, key: Key, grant: Grant): void {
  index.set(key, (index.get(key) ?? new Set()).add(grant));
}

function remove<Key>(index: Map<Key, Set<Grant>>, key: Key, grant: Grant): void {
  const others = index.get(key);
  others?.delete(grant);
  if (others?.size === 0) index.delete(key);
}
