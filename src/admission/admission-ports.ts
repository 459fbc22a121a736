import { decodeUint16 } from '../bytes/integer.ts';
import type { Clock } from '../host/clock.ts';
import type { Entropy } from '../host/entropy.ts';
import type { IpAddress, Port, PortRange } from '../units/network.ts';
import { type DurationMs, later, type MonotonicMs } from '../units/time.ts';

export interface AdmissionPortsOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly range: PortRange;
  /** So many ports are remembered; beyond, the one drawn first is forgotten. */
  readonly capacity: number;
}

/** The firewall's clock and ours may differ by this much at the end of a grant. */
const SLACK_MS = 1000;

/** With at least half of the range free, all of these are taken with a chance of 2^-64. */
const MAX_DRAWS = 64;

/** Draws the secret port of each grant for `port`, none that another grant for the same source has still. */
export class AdmissionPorts {
  readonly #options: AdmissionPortsOptions;
  /** When each port that was drawn for a source is free again. */
  readonly #drawn = new Map<string, MonotonicMs>();

  constructor(options: AdmissionPortsOptions) {
    this.#options = options;
  }

  /**
   * Every free port with the same chance; null when it found none.
   * @param isUsed whether a port is wanted for something else
   */
  draw(source: IpAddress, lifetimeMs: DurationMs, isUsed: (port: Port) => boolean): Port | null {
    const now = this.#options.clock.monotonicMs();
    for (let draws = 0; draws < MAX_DRAWS; draws++) {
      const port = this.#random();
      if (isUsed(port) || (this.#drawn.get(key(source, port)) ?? 0) > now) continue;
      this.#note(key(source, port), later(now, lifetimeMs + SLACK_MS));
      return port;
    }
    return null;
  }

  /** Takes note of a port that was chosen by somebody else. Whether it is free the firewall knows. */
  take(source: IpAddress, lifetimeMs: DurationMs, port: Port): void {
    const now = this.#options.clock.monotonicMs();
    this.#note(key(source, port), later(now, lifetimeMs + SLACK_MS));
  }

  // numbers beyond the last whole multiple of the range would make its first ports likelier
  #random(): Port {
    const { entropy, range } = this.#options;
    const size = range.last - range.first + 1;
    const limit = 65_536 - (65_536 % size);
    let number: number;
    do number = decodeUint16(entropy.bytes(2), 0);
    while (number >= limit);
    return (range.first + (number % size)) as Port;
  }

  #note(drawn: string, freeAt: MonotonicMs): void {
    this.#drawn.delete(drawn);
    this.#drawn.set(drawn, freeAt);
    const [oldest] = this.#drawn.keys();
    if (this.#drawn.size > this.#options.capacity && oldest !== undefined) {
      this.#drawn.delete(oldest);
    }
  }
}

function key(source: IpAddress, port: Port): string {
  return `${source} ${String(port)}`;
}
