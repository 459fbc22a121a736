import type { Clock, Timer } from '../../host/clock.ts';
import type { Opening } from '../../host/firewall.ts';
import type { GrantId, PeerName } from '../../units/names.ts';
import { formatServicePort, type IpAddress, type ServicePort } from '../../units/network.ts';

interface Live {
  readonly opening: Opening;
  readonly timer: Timer;
}

/** The grants in force, by what a new connection shows: its source and the port it wants. */
export class LiveGrants {
  readonly #clock: Clock;
  readonly #onLast: (port: string) => void;
  readonly #byId = new Map<GrantId, Live>();
  readonly #bySource = new Map<string, Set<Live>>();
  readonly #countByPort = new Map<string, number>();

  /** @param onLast called with `tcp/22` when the last grant for this port has been used up or has ended */
  constructor(clock: Clock, onLast: (port: string) => void) {
    this.#clock = clock;
    this.#onLast = onLast;
  }

  add(opening: Opening): void {
    this.end(opening.grant);
    const timer = this.#clock.after(opening.lifetimeMs, () => {
      this.end(opening.grant);
    });
    const live = { opening, timer };
    this.#byId.set(opening.grant, live);
    for (const port of opening.ports) {
      const key = keyOf(opening.source, port);
      this.#bySource.set(key, (this.#bySource.get(key) ?? new Set()).add(live));
      this.#count(formatServicePort(port), 1);
    }
  }

  end(grant: GrantId): void {
    const live = this.#byId.get(grant);
    if (live === undefined) return;
    live.timer.cancel();
    this.#byId.delete(grant);
    for (const port of live.opening.ports) this.#take(live, port);
  }

  clear(): void {
    for (const grant of [...this.#byId.keys()]) this.end(grant);
  }

  /** Whether anybody may come in by this port, written `tcp/22`. */
  isOpen(port: string): boolean {
    return this.#countByPort.has(port);
  }

  /** Lets one connection in: gives the peer by whose grant, or null. A grant for one connection is used up for this port. */
  admit(source: IpAddress, port: ServicePort): PeerName | null {
    const there = [...(this.#bySource.get(keyOf(source, port)) ?? [])];
    // the one that does not wear out first
    const live = there.find(({ opening }) => opening.admission === 'address') ?? there[0];
    if (live === undefined) return null;
    if (live.opening.admission === 'once') this.#take(live, port);
    return live.opening.peer;
  }

  #take(live: Live, port: ServicePort): void {
    const key = keyOf(live.opening.source, port);
    const there = this.#bySource.get(key);
    if (there?.delete(live) !== true) return;
    if (there.size === 0) this.#bySource.delete(key);
    this.#count(formatServicePort(port), -1);
  }

  #count(port: string, by: 1 | -1): void {
    const next = (this.#countByPort.get(port) ?? 0) + by;
    if (next > 0) {
      this.#countByPort.set(port, next);
    } else {
      this.#countByPort.delete(port);
      this.#onLast(port);
    }
  }
}

function keyOf(source: IpAddress, port: ServicePort): string {
  return `${formatServicePort(port)} ${source}`;
}
