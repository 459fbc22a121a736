import type { Clock } from '../../host/clock.ts';
import { type Opening, plainDoor } from '../../host/firewall.ts';
import type { GrantId, PeerName } from '../../units/names.ts';
import type { IpAddress, Port } from '../../units/network.ts';
import { type DurationMs, later, type MonotonicMs } from '../../units/time.ts';

/**
 * In whose name the gate's port is opened. No peer can be called so: a firewall that marks connections by peer must not cut those
 * of one peer to the gate for another, with whom it shares an address. The gate cuts by itself.
 */
const GATE = '(gate)' as PeerName;

interface Hole {
  /** Under which the firewall knows it. */
  readonly id: GrantId;
  readonly endsAt: Map<GrantId, MonotonicMs>;
}

/** What the firewall is asked for the gate's port: one grant for each source, as long as any of the peers there needs it. */
export class Holes {
  readonly #clock: Clock;
  readonly #port: Port;
  readonly #bySource = new Map<IpAddress, Hole>();
  readonly #sourceOf = new Map<GrantId, IpAddress>();

  constructor(clock: Clock, port: Port) {
    this.#clock = clock;
    this.#port = port;
  }

  /** The opening that makes room for this grant; it takes the place of what was open for the source before. */
  open({ grant, source, service, lifetimeMs }: Opening): Opening {
    const hole = this.#bySource.get(source) ?? { id: grant, endsAt: new Map() };
    this.#bySource.set(source, hole);
    this.#sourceOf.set(grant, source);
    const now = this.#clock.monotonicMs();
    hole.endsAt.set(grant, later(now, lifetimeMs));
    return {
      grant: hole.id,
      peer: GATE,
      service,
      source,
      ports: [{ protocol: 'tcp', port: this.#port }],
      admission: 'address',
      door: plainDoor,
      lifetimeMs: (Math.max(...hole.endsAt.values()) - now) as DurationMs,
    };
  }

  /** What is to be closed when this grant has ended: null while the source's other grants need it. */
  close(grant: GrantId): GrantId | null {
    const source = this.#sourceOf.get(grant);
    const hole = source === undefined ? undefined : this.#bySource.get(source);
    if (source === undefined || hole === undefined) return null;
    this.#sourceOf.delete(grant);
    hole.endsAt.delete(grant);
    if (hole.endsAt.size > 0) return null;
    this.#bySource.delete(source);
    return hole.id;
  }
}
