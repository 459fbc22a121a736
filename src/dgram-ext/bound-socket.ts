import { HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';
import type { Clock, Timer } from '../host/clock.ts';
import type { DatagramDescriptors } from '../host/datagram-descriptors.ts';
import type { DatagramCounters, DatagramSocket } from '../host/datagram-socket.ts';
import type { Endpoint } from '../units/network.ts';
import { kernelDrops } from './kernel-drops.ts';
import { type Interfaces, type Place, isWildcard, placesOf } from './places.ts';
import { Traffic } from './traffic.ts';
import { UdpSocket } from './udp-socket.ts';

export interface BindOptions {
  /**
   * Where to listen. `0.0.0.0` and `::` each mean every address of their family that the machine has, and will have.
   * Port 0 takes a free one, the same for all addresses.
   */
  readonly addresses: readonly Endpoint[];
  readonly clock: Clock;
  /** How often to look for addresses that came or went, when a wildcard was asked for. */
  readonly rescanMs?: number;
  /** How much the kernel may keep for us per socket; it takes no more than net.core.rmem_max. */
  readonly receiveBufferBytes?: number;
  /** Told of what goes wrong after the start: an address that cannot be bound (once until that changes), a receive that failed. */
  readonly onFault?: (fault: HknockError) => void;
  /** When others are to read from the same sockets; null or not said when nobody is. */
  readonly descriptors?: DatagramDescriptors | null;
  /** What the machine's interfaces are now; the system's answer if not said. */
  readonly interfaces?: () => Interfaces;
}

/** Somebody who reads from the same sockets. */
export interface Sharer {
  /** One has been bound. The descriptor is the sharer's own, to be closed by it. */
  opened(local: Endpoint, descriptor: number): void;
  /** One is not to be read from any more. */
  closed(local: Endpoint): void;
}

/** A UDP endpoint over one socket per local address; it follows the addresses that come and go. */
export class BoundSocket implements DatagramSocket {
  readonly #options: Required<BindOptions>;
  readonly #traffic = new Traffic();
  readonly #sockets = new Map<string, UdpSocket>();
  /** The same by the endpoint that listeners get and hand back, so that an answer finds its socket at once. */
  readonly #byLocal = new Map<Endpoint, UdpSocket>();
  readonly #sharers = new Set<Sharer>();
  /** Places whose fault has been told. */
  readonly #refused = new Set<string>();
  /** What port 0 has come to mean. */
  #anyPort = 0;
  #dropsOfClosed = 0;
  #scanning: Promise<void> = Promise.resolve();
  #timer: Timer | null = null;
  #closing: Promise<void> | null = null;

  /** Opened and handed out by `bindDatagramSocket`. */
  constructor(options: Required<BindOptions>) {
    this.#options = options;
  }

  /** @throws {HknockError} `bind`; what was bound until then stays so until `close` */
  async open(): Promise<void> {
    await this.#scan((fault) => {
      throw fault;
    });
    if (this.#options.addresses.some(({ address }) => isWildcard(address))) this.#scheduleRescan();
  }

  get local(): readonly Endpoint[] {
    return [...this.#byLocal.keys()];
  }

  listen(...listeners: Parameters<DatagramSocket['listen']>): void {
    this.#traffic.listen(...listeners);
  }

  /** Lets somebody read from all sockets there are and will be, until that is taken back. They must have been bound with descriptors. */
  share(sharer: Sharer): { readonly end: () => void } {
    for (const socket of this.#sockets.values()) this.#open(sharer, socket);
    this.#sharers.add(sharer);
    return { end: () => this.#sharers.delete(sharer) };
  }

  /** Takes a datagram that a sharer has read, as if it had been read here. */
  accept(bytes: Uint8Array, remote: Endpoint, local: Endpoint): void {
    if (this.#closing === null) this.#traffic.accept(bytes, remote, local);
  }

  send(bytes: Uint8Array, remote: Endpoint, local: Endpoint): void {
    const socket = this.#socketAt(local);
    // an address that has gone: from any other the answer would not be taken for one
    if (socket === undefined) this.#traffic.countSendDropped();
    else socket.send(bytes, remote);
  }

  counters(): DatagramCounters {
    return this.#traffic.counters(this.#dropsOfClosed + kernelDrops(this.local));
  }

  /** Looks now for addresses that came or went, instead of at the next interval. */
  rescan(): Promise<void> {
    const { onFault } = this.#options;
    this.#scanning = this.#scanning
      .then(() => this.#scan(onFault))
      .catch((cause: unknown) => {
        onFault(new HknockError('host', 'cannot see which addresses this machine has', { cause }));
      });
    return this.#scanning;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#timer?.cancel();
    await this.#scanning;
    await Promise.all([...this.#sockets].map(([key, socket]) => this.#closeOne(key, socket)));
  }

  #scheduleRescan(): void {
    this.#timer = this.#options.clock.after(this.#options.rescanMs, () => {
      void this.rescan().then(() => {
        if (this.#closing === null) this.#scheduleRescan();
      });
    });
  }

  async #scan(onFault: (fault: HknockError) => void): Promise<void> {
    const wanted = placesOf(this.#options.addresses, this.#options.interfaces());
    for (const key of this.#refused) if (!wanted.has(key)) this.#refused.delete(key);
    for (const [key, socket] of this.#sockets) {
      if (!wanted.has(key)) await this.#closeOne(key, socket);
    }
    for (const [key, place] of wanted) {
      if (this.#closing !== null) return;
      if (!this.#sockets.has(key)) await this.#bindOne(key, place, onFault);
    }
  }

  async #bindOne(key: string, place: Place, onFault: (fault: HknockError) => void): Promise<void> {
    const { address, port } = place.endpoint;
    const endpoint = { address, port: port === 0 ? this.#anyPort : port };
    try {
      const socket = await UdpSocket.bind({ ...place, endpoint }, this.#traffic, this.#options);
      this.#sockets.set(key, socket);
      this.#byLocal.set(socket.local, socket);
      for (const sharer of this.#sharers) this.#open(sharer, socket);
      this.#refused.delete(key);
      if (port === 0) this.#anyPort = socket.local.port;
    } catch (fault) {
      if (!(fault instanceof HknockError)) throw fault;
      // on its way up (duplicate address detection) or down: the next look will tell
      if (place.fromWildcard && systemCode(fault.cause) === 'EADDRNOTAVAIL') return;
      if (!this.#refused.has(key)) onFault(fault);
      this.#refused.add(key);
    }
  }

  async #closeOne(key: string, socket: UdpSocket): Promise<void> {
    this.#dropsOfClosed += kernelDrops([socket.local]);
    for (const sharer of this.#sharers) sharer.closed(socket.local);
    this.#sockets.delete(key);
    this.#byLocal.delete(socket.local);
    await socket.close();
  }

  #open(sharer: Sharer, { local, descriptor }: UdpSocket): void {
    const { descriptors } = this.#options;
    if (descriptors === null || descriptor === null) throw new RangeError('bound for one alone');
    sharer.opened(local, descriptors.again(descriptor));
  }

  #socketAt(local: Endpoint): UdpSocket | undefined {
    return this.#byLocal.get(local) ?? this.#byLocal.get(this.#ownCopyOf(local) ?? local);
  }

  #ownCopyOf({ address, port }: Endpoint): Endpoint | undefined {
    return this.local.find((own) => own.address === address && own.port === port);
  }
}
