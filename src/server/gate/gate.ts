import { isDeepStrictEqual } from 'node:util';
import type { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { verifyBinder } from '../../admission/gate/binder.ts';
import type { PskHello } from '../../admission/gate/client-hello.ts';
import { FramedStream } from '../../admission/gate/framed-stream.ts';
import { type Pass, type PassBook, Passes } from '../../admission/gate/passes.ts';
import { decodePreface, PREFACE_LENGTH } from '../../admission/gate/preface.ts';
import { parseAddress } from '../../bytes/address.ts';
import { isAt } from '../../bytes/prefix.ts';
import type { Clock } from '../../host/clock.ts';
import type { Cut, Opening, ProtectedPort } from '../../host/firewall.ts';
import type { Log } from '../../host/log.ts';
import type { GrantId } from '../../units/names.ts';
import {
  type Endpoint,
  formatServicePort,
  type IpAddress,
  type Port,
  type ServicePort,
} from '../../units/network.ts';
import { Doorstep } from './doorstep.ts';
import { FlowRoom } from './flow-sockets.ts';
import { forward, type Target } from './forward.ts';
import { forwardDatagrams } from './forward-datagrams.ts';
import { Holes } from './holes.ts';
import { listenAll } from './listen.ts';
import { TlsEnd } from './tls-end.ts';
import { connectionName, WaitingRoom } from './waiting-room.ts';

/** Connections through the gate at a time; who comes when there are so many is not let in. */
const MAX_VISITORS = 4096;

/** Where a service is when nobody said. */
const loopback = '127.0.0.1' as IpAddress;

/** After this much silence the system asks whether the other side still is there. */
const KEEP_ALIVE_MS = 60_000;

export interface GateOptions {
  /** At least one; all with this port. */
  readonly listen: readonly Endpoint[];
  readonly port: Port;
  /** Whether a pass counts from every address, and not only from the one that knocked. */
  readonly anyAddress: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The TLS port of admission `gate` (gate.md). What strangers send comes as far as `readPskHello` and `verifyBinder`: only
 * who has proved the key of a live grant is answered, and gets to talk to the TLS library.
 */
export class Gate {
  readonly port: Port;
  /** Which sources have to be let through to this port. */
  readonly holes: Holes;
  /** Who is let in. */
  readonly passes: Passes;
  readonly #options: GateOptions;
  readonly #room: WaitingRoom;
  readonly #doorstep: Doorstep;
  readonly #books: PassBook[];
  readonly #visitors = new Map<Duplex, Opening>();
  readonly #flowRoom = new FlowRoom();
  #admitted = 0;
  #unreachable = 0;
  #servers: readonly Server[] = [];
  #services = new Map<string, ProtectedPort>();

  constructor(options: GateOptions) {
    const { clock, port } = options;
    this.#options = options;
    this.port = port;
    this.holes = new Holes(clock, port);
    this.passes = new Passes(clock, (grant) => this.holes.close(grant));
    this.#books = [this.passes];
    this.#room = new WaitingRoom(clock);
    const tls = new TlsEnd({
      keyOf: (identity) => this.#find(identity)?.gateKey.key ?? null,
      onSecure: (socket, identity) => {
        this.#welcome(socket, identity);
      },
    });
    this.#doorstep = new Doorstep({
      room: this.#room,
      isProven: (hello, source) => this.#isProven(hello, source),
      onProven: (socket) => {
        tls.secure(socket);
      },
    });
  }

  /** Takes its port. @throws {HknockError} `bind` when it cannot be had */
  async open(): Promise<void> {
    this.#servers = await listenAll(this.#options.listen, (socket) => {
      this.#doorstep.meet(socket);
    });
  }

  /** Where connections that come in from now on are led. */
  leadTo(ports: readonly ProtectedPort[]): void {
    this.#services = new Map(ports.map((each) => [formatServicePort(each.port), each]));
  }

  /** Lets those in too who have a pass in this book. */
  accept(book: PassBook): void {
    this.#books.push(book);
  }

  /** What has come in, by what became of it; and how many are there now. */
  counters(): Readonly<Record<string, number>> {
    return {
      ...this.#doorstep.counters(),
      admitted: this.#admitted,
      unreachable: this.#unreachable,
      waiting: this.#room.size,
      visitors: this.#visitors.size,
      flows: this.#flowRoom.size,
    };
  }

  /** Lets the one connection of a grant in; that of a renewed one for longer. */
  admit(opening: Opening): void {
    const { gateKey } = opening.door;
    if (gateKey !== null) this.passes.add({ opening, gateKey });
  }

  has(grant: GrantId): boolean {
    return this.passes.has(grant);
  }

  /** Ends a grant; a connection that came in by it lives on. */
  end(grant: GrantId): void {
    this.passes.end(grant);
  }

  cut({ peer, source }: Cut): void {
    for (const [visitor, opening] of this.#visitors) {
      if (opening.peer === peer && (source === null || isAt(opening.source, source))) {
        visitor.destroy(new Error('cut'));
      }
    }
  }

  /** Ends everything. */
  close(): void {
    for (const server of this.#servers) server.close();
    this.passes.clear();
    this.#room.clear();
    for (const visitor of this.#visitors.keys()) visitor.destroy(new Error('the gate is closed'));
  }

  /** Steps 4 to 6 of gate.md, section 3. */
  #isProven(hello: PskHello, source: IpAddress): boolean {
    const pass = this.#find(hello.identity);
    if (pass === null || this.#visitors.size >= MAX_VISITORS) return false;
    const isFromThere =
      this.#options.anyAddress || pass.isForAnySource === true || pass.opening.source === source;
    return isFromThere && verifyBinder(hello, pass.gateKey.key);
  }

  #welcome(socket: TLSSocket, identity: string): void {
    const pass = this.#take(identity);
    const source = parseAddress(socket.remoteAddress ?? '');
    // of two that prove the same key at the same time, one is first
    if (pass === null || source === null) socket.destroy();
    else
      readPreface(socket, (port) => {
        // a cut looks for it where it is
        const opening = pass.isForAnySource === true ? { ...pass.opening, source } : pass.opening;
        this.#lead(socket, opening, port);
      });
  }

  #find(identity: string): Pass | null {
    for (const book of this.#books) {
      const pass = book.find(identity);
      if (pass !== null) return pass;
    }
    return null;
  }

  #take(identity: string): Pass | null {
    for (const book of this.#books) {
      const pass = book.take(identity);
      if (pass !== null) return pass;
    }
    return null;
  }

  #lead(socket: TLSSocket, opening: Opening, wanted: ServicePort | null): void {
    const isGranted = opening.ports.some((each) => isDeepStrictEqual(each, wanted));
    const port = isGranted && wanted !== null ? formatServicePort(wanted) : '';
    const service = this.#services.get(port);
    if (service === undefined) {
      socket.destroy();
      return;
    }
    const { grant, peer, service: name } = opening;
    this.#room.leave(connectionName(socket));
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#admitted++;
    this.#options.log.info('came through the gate', { grant, peer, service: name, port });
    this.#visit(this.#forward(socket, service), opening);
  }

  #visit(visitor: Duplex, opening: Opening): void {
    this.#visitors.set(visitor, opening);
    visitor.once('close', () => this.#visitors.delete(visitor));
  }

  /** Gives what to destroy for the connection to end. */
  #forward(socket: TLSSocket, service: ProtectedPort): Duplex {
    const { clock, log } = this.#options;
    const target = targetOf(socket, service);
    if (service.port.protocol === 'udp') {
      forwardDatagrams(socket, target, { room: this.#flowRoom, clock });
      return socket;
    }
    const visitor = new FramedStream(socket);
    forward(visitor, target, (fault) => {
      this.#unreachable++;
      const port = formatServicePort(service.port);
      log.warn('service not reached', { service: service.service, port, fault: fault.message });
    });
    return visitor;
  }
}

function targetOf(
  socket: TLSSocket,
  { port: { protocol, port }, upstream, proxyProtocol = false }: ProtectedPort,
): Target {
  const endpoint = upstream ?? { address: loopback, port };
  const source = parseAddress(socket.remoteAddress ?? '');
  const destination = parseAddress(socket.localAddress ?? '');
  if (!proxyProtocol || source === null || destination === null) {
    return { endpoint, announced: null };
  }
  const announced = {
    protocol,
    source: { address: source, port: socket.remotePort ?? 0 },
    destination: { address: destination, port },
  };
  return { endpoint, announced };
}

function readPreface(socket: TLSSocket, then: (port: ServicePort | null) => void): void {
  const look = (): void => {
    const bytes = socket.read(PREFACE_LENGTH) as Buffer | null;
    if (bytes === null) return;
    socket.off('readable', look);
    then(decodePreface(bytes));
  };
  socket.on('readable', look);
}
