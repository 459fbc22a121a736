import { familyOf } from '../bytes/address.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Clock } from '../host/clock.ts';
import type { DatagramSocket } from '../host/datagram-socket.ts';
import { type Endpoint, formatEndpoint } from '../units/network.ts';
import { MemoryNat, type NatOptions } from './memory-nat.ts';
import { MemorySocket } from './memory-socket.ts';
import { seededRandom } from './seeded-random.ts';

/** What a way through the network does to datagrams. */
export interface Conditions {
  /** Share that is lost, 0 to 1. */
  readonly loss: number;
  /** Share of the others that comes twice, 0 to 1. */
  readonly duplication: number;
  /** Each copy takes its own time between these two: where they differ, datagrams overtake each other. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

export interface MemoryNetworkOptions {
  readonly clock: Clock;
  readonly seed?: number;
  /** The conditions from one socket to the address it sends to; a perfect network if not said. */
  readonly conditions?: (from: Endpoint, to: Endpoint) => Partial<Conditions>;
}

const perfect: Conditions = { loss: 0, duplication: 0, minDelayMs: 0, maxDelayMs: 0 };

/** Longest UDP payload over IPv4; the system refuses to send more. */
const MAX_UDP_PAYLOAD = 65_507;

/** A network for tests: everything happens when the clock says, and the same in each run with the same seed. */
export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #conditions: (from: Endpoint, to: Endpoint) => Partial<Conditions>;
  readonly #sockets = new Map<string, MemorySocket>();
  readonly #nats: MemoryNat[] = [];
  #nextPort = 49_152;

  constructor({ clock, seed = 1, conditions = () => perfect }: MemoryNetworkOptions) {
    this.#clock = clock;
    this.#random = seededRandom(seed);
    this.#conditions = conditions;
  }

  /**
   * One endpoint with one or more addresses; port 0 takes a free one.
   * @throws {HknockError} `bind` when one is taken
   */
  bind(...endpoints: readonly Endpoint[]): DatagramSocket {
    const local = endpoints.map(({ address, port }) => ({
      address,
      port: port || this.#nextPort++,
    }));
    const keys = local.map(formatEndpoint);
    const taken = keys.find((key) => this.#sockets.has(key));
    if (taken !== undefined) throw new HknockError('bind', `${taken} is in use`);
    const socket = new MemorySocket(local, {
      transmit: (bytes, from, to) => this.#transmit(bytes, from, to),
      unbind: () => {
        for (const key of keys) this.#sockets.delete(key);
      },
    });
    for (const key of keys) this.#sockets.set(key, socket);
    return socket;
  }

  /** Puts addresses behind a NAT. */
  nat(options: NatOptions): MemoryNat {
    const nat = new MemoryNat(options, this.#clock, this.#random);
    this.#nats.push(nat);
    return nat;
  }

  /** Whether a system would have sent it. */
  #transmit(bytes: Uint8Array, from: Endpoint, to: Endpoint): boolean {
    const isSendable = familyOf(from.address) === familyOf(to.address) && to.port !== 0;
    if (!isSendable || bytes.length > MAX_UDP_PAYLOAD) return false;
    const conditions = { ...perfect, ...this.#conditions(from, to) };
    const source = this.#outward(from, to);
    for (let copy = this.#copies(conditions); copy > 0; copy--) {
      this.#clock.after(this.#delayMs(conditions), () => {
        this.#arrive(bytes, source, to);
      });
    }
    return true;
  }

  #copies({ loss, duplication }: Conditions): number {
    if (this.#random() < loss) return 0;
    return this.#random() < duplication ? 2 : 1;
  }

  #delayMs({ minDelayMs, maxDelayMs }: Conditions): number {
    return minDelayMs + this.#random() * (maxDelayMs - minDelayMs);
  }

  #outward(from: Endpoint, to: Endpoint): Endpoint {
    const nat = this.#nats.find((each) => each.isBetween(from.address, to.address));
    return nat === undefined ? from : this.#outward(nat.outward(from, to), to);
  }

  #arrive(bytes: Uint8Array, from: Endpoint, to: Endpoint): void {
    // nobody outside has a route to what is inside
    if (this.#nats.some((nat) => nat.isBetween(to.address, from.address))) return;
    const target = this.#inward(from, to);
    if (target !== null) this.#sockets.get(formatEndpoint(target))?.accept(bytes, from, target);
  }

  #inward(from: Endpoint, to: Endpoint): Endpoint | null {
    const nat = this.#nats.find((each) => each.hasPublic(to.address));
    if (nat === undefined) return to;
    const inside = nat.inward(from, to);
    return inside === null ? null : this.#inward(from, inside);
  }
}
