import { MAX_FLOWS } from '../admission/gate/datagram-tunnel.ts';
import { type Endpoint, formatEndpoint } from '../units/network.ts';

const FLOW_NUMBERS = 65_536;

interface Sender {
  readonly flow: number;
  readonly endpoint: Endpoint;
}

/** Who sends to a local port, each with the number of its flow (gate.md, section 4.3). */
export class Senders {
  /** The one that has been silent longest first. */
  readonly #byEndpoint = new Map<string, Sender>();
  readonly #byFlow = new Map<number, Sender>();
  #next = 0;

  /** The number of a sender's flow; a new one makes room for itself when there are as many as there may be. */
  flowOf(endpoint: Endpoint): number {
    const name = formatEndpoint(endpoint);
    const sender = this.#byEndpoint.get(name) ?? this.#begin(endpoint);
    this.#byEndpoint.delete(name);
    this.#byEndpoint.set(name, sender);
    return sender.flow;
  }

  /** Whose flow that is; null when it has been forgotten. */
  find(flow: number): Endpoint | null {
    return this.#byFlow.get(flow)?.endpoint ?? null;
  }

  #begin(endpoint: Endpoint): Sender {
    const [oldest] = this.#byEndpoint;
    if (oldest !== undefined && this.#byEndpoint.size >= MAX_FLOWS) {
      this.#byEndpoint.delete(oldest[0]);
      this.#byFlow.delete(oldest[1].flow);
    }
    while (this.#byFlow.has(this.#next)) this.#next = (this.#next + 1) % FLOW_NUMBERS;
    const sender = { flow: this.#next, endpoint };
    this.#next = (this.#next + 1) % FLOW_NUMBERS;
    this.#byFlow.set(sender.flow, sender);
    return sender;
  }
}
