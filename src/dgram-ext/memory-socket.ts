import type { DatagramCounters, DatagramSocket } from '../host/datagram-socket.ts';
import type { Endpoint } from '../units/network.ts';
import { Traffic } from './traffic.ts';

/** What a socket needs of its network. */
interface Attachment {
  /** @returns false for what a system would refuse to send */
  readonly transmit: (bytes: Uint8Array, from: Endpoint, to: Endpoint) => boolean;
  readonly unbind: () => void;
}

/** The in-memory twin of a bound socket; made by `MemoryNetwork`. */
export class MemorySocket implements DatagramSocket {
  readonly #local: readonly Endpoint[];
  readonly #attachment: Attachment;
  readonly #traffic = new Traffic();
  #isOpen = true;

  constructor(local: readonly Endpoint[], attachment: Attachment) {
    this.#local = local;
    this.#attachment = attachment;
  }

  get local(): readonly Endpoint[] {
    return this.#isOpen ? this.#local : [];
  }

  listen(...listeners: Parameters<DatagramSocket['listen']>): void {
    this.#traffic.listen(...listeners);
  }

  // the bytes are kept and not copied, as with the system when its buffer is full: a caller who reuses them is found out
  send(bytes: Uint8Array, remote: Endpoint, local: Endpoint): void {
    const from = this.#ownCopyOf(local);
    if (from !== undefined && this.#attachment.transmit(bytes, from, remote)) {
      this.#traffic.countSend(null);
    } else {
      this.#traffic.countSendDropped();
    }
  }

  /** Called by the network. */
  accept(bytes: Uint8Array, remote: Endpoint, to: Endpoint): void {
    const local = this.#ownCopyOf(to);
    if (local === undefined) return;
    const lent = bytes.slice();
    this.#traffic.accept(lent, remote, local);
    lent.fill(0xdd); // the listener's time with them is over: one that kept them is found out
  }

  counters(): DatagramCounters {
    return this.#traffic.counters(0);
  }

  close(): Promise<void> {
    if (this.#isOpen) this.#attachment.unbind();
    this.#isOpen = false;
    return Promise.resolve();
  }

  #ownCopyOf({ address, port }: Endpoint): Endpoint | undefined {
    return this.local.find((own) => own.address === address && own.port === port);
  }
}
