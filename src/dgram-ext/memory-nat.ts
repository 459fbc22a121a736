import type { Clock } from '../host/clock.ts';
import { type Endpoint, type IpAddress, formatEndpoint } from '../units/network.ts';

export interface NatOptions {
  /** Addresses behind it. They may be the public addresses of further NATs, as with CGNAT. */
  readonly inside: readonly IpAddress[];
  readonly publicAddress: IpAddress;
  /** Give each flow a random port, as `masquerade random` does; otherwise keep the port where it is free. */
  readonly randomPorts?: boolean;
  /** A flow older than this gets a new public port, and what comes to its old one is lost. Never, if not said. */
  readonly rebindAfterMs?: number;
}

interface Flow {
  readonly inside: Endpoint;
  readonly outside: Endpoint;
  readonly remote: Endpoint;
  readonly endsMs: number;
}

const PORTS_FROM = 1024;
const PORTS = 65_536 - PORTS_FROM;

/**
 * A source NAT as the Linux kernel does it: one flow for each inside endpoint and remote, and only that
 * remote gets in by it (RFC 4787: address and port-dependent mapping and filtering).
 */
export class MemoryNat {
  readonly #options: NatOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #flows = new Map<string, Flow>();

  constructor(options: NatOptions, clock: Clock, random: () => number) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
  }

  /** Gives every flow a new public port, as after a restart or a new lease. */
  rebind(): void {
    for (const [key, flow] of this.#flows) this.#flows.set(key, { ...flow, endsMs: -Infinity });
  }

  isBetween(from: IpAddress, to: IpAddress): boolean {
    return this.#options.inside.includes(from) && !this.#options.inside.includes(to);
  }

  hasPublic(address: IpAddress): boolean {
    return address === this.#options.publicAddress;
  }

  /** What the remote sees as the source. */
  outward(inside: Endpoint, remote: Endpoint): Endpoint {
    const key = `${formatEndpoint(inside)} ${formatEndpoint(remote)}`;
    const known = this.#flows.get(key);
    if (known !== undefined && this.#lives(known)) return known.outside;
    const { publicAddress, randomPorts = false, rebindAfterMs = Infinity } = this.#options;
    const wish = randomPorts ? this.#randomPort() : (known?.outside.port ?? inside.port);
    const outside = { address: publicAddress, port: this.#freePort(wish, remote) };
    const endsMs = this.#clock.monotonicMs() + rebindAfterMs;
    this.#flows.set(key, { inside, outside, remote, endsMs });
    return outside;
  }

  /** Whom a datagram from `remote` to our public endpoint is for; null for nobody. */
  inward(remote: Endpoint, outside: Endpoint): Endpoint | null {
    const flow = this.#flowAt(outside.port, remote);
    return flow !== undefined && this.#lives(flow) ? flow.inside : null;
  }

  #lives({ endsMs }: Flow): boolean {
    return this.#clock.monotonicMs() < endsMs;
  }

  #randomPort(): number {
    return PORTS_FROM + Math.floor(this.#random() * PORTS);
  }

  // a flow that has ended still holds its port, so that a flow never gets its old one again
  #freePort(wish: number, remote: Endpoint): number {
    let port = wish;
    while (this.#flowAt(port, remote) !== undefined) {
      port = PORTS_FROM + ((port + 1 - PORTS_FROM) % PORTS);
    }
    return port;
  }

  #flowAt(port: number, remote: Endpoint): Flow | undefined {
    return [...this.#flows.values()].find(
      (flow) =>
        flow.outside.port === port &&
        flow.remote.address === remote.address &&
        flow.remote.port === remote.port,
    );
  }
}
