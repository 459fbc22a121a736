import type { HknockError } from '../errors/hknock-error.ts';
import type { Admission, Breadth } from '../units/admission.ts';
import type { GrantId, PeerName, ServiceName } from '../units/names.ts';
import type { Endpoint, IpAddress, Port, Prefix, ServicePort } from '../units/network.ts';
import type { DurationMs } from '../units/time.ts';

/** A port that is shut to all who have no grant. */
export interface ProtectedPort {
  readonly service: ServiceName;
  readonly port: ServicePort;
  /** Where the service really listens; only what forwards (userspace, the gate) needs it. */
  readonly upstream: Endpoint | null;
  /** Whether the service wants a header of the PROXY protocol; only the gate can say it. */
  readonly proxyProtocol?: boolean;
}

/** What a grant's connection to the gate proves (gate.md, section 2). */
export interface GateKey {
  /** 32 hexadecimal digits; travels in the open. */
  readonly identity: string;
  /** 32 bytes; never travels. */
  readonly key: Uint8Array;
}

/** How a grant's connection is told from others of the same source. */
export interface Door {
  /** With `port`: the port that leads to the service once. */
  readonly admissionPort: Port | null;
  /** With `bound`: the initial sequence number that its SYN has. */
  readonly initialSequence: number | null;
  /** With `gate`: the pre-shared key of its TLS connection. */
  readonly gateKey: GateKey | null;
}

/** The door of admissions that go by the source alone. */
export const plainDoor: Door = {
  admissionPort: null,
  initialSequence: null,
  gateKey: null,
};

/** Lets a source in: all of `ports`, or nothing. */
export interface Opening {
  readonly grant: GrantId;
  readonly peer: PeerName;
  readonly service: ServiceName;
  readonly source: IpAddress;
  /** For the prefix of the source; for the source alone if not said. */
  readonly breadth?: Breadth;
  readonly ports: readonly ServicePort[];
  readonly admission: Admission;
  /** What tells the connection from others, beyond its source. */
  readonly door: Door;
  /** After this long no new connection gets in, whether or not anybody closes the grant. */
  readonly lifetimeMs: DurationMs;
}

/**
 * Ends the connections that came in by grants of a peer, however long ago, also by grants of an earlier run of this
 * program: a backend marks connections by peer (a number derived from the peer's name), so that it need not remember.
 */
export interface Cut {
  readonly peer: PeerName;
  /** Only those from this address, or from any of this prefix; null for all of them. */
  readonly source: IpAddress | Prefix | null;
}

/** What tells a grant's flows from others. */
export type Used = Pick<Opening, 'grant' | 'peer' | 'source' | 'breadth' | 'ports'>;

/** Changes that belong together. Closes take effect before opens, so a grant that stands in both is renewed. */
export interface Transaction {
  readonly opens: readonly Opening[];
  /** Closing a grant that is unknown or has expired changes nothing and is no error. */
  readonly closes: readonly GrantId[];
  readonly cuts: readonly Cut[];
}

/**
 * Grants that could not be opened, or not closed, each with its fault (code `firewall`, or `limit` when
 * there is no room for a grant). The changes of all others are
 * in force. A grant that could not be closed may let somebody in still; of one that is renewed only the opening is told.
 */
export type Failures = ReadonlyMap<GrantId, HknockError>;

/**
 * The one door to a firewall. Each method resolves when the change is in force, so that a client
 * told "granted" finds the port open. Calls may overlap; they take effect in the order of the calls.
 */
export interface Firewall {
  /** Admissions that this backend can enforce. */
  readonly admissions: readonly Admission[];
  /** Whether it can admit prefixes, with the admissions that go by the source alone. */
  readonly prefixes?: boolean;
  /**
   * Shuts the ports to all without a grant; established connections live on.
   * @throws {HknockError} `host` when a program, privilege or kernel feature is missing, `bind` when a
   * forwarder's port is taken; nothing has been changed then
   */
  start(ports: readonly ProtectedPort[]): Promise<void>;
  /** Changes which ports are protected; live grants stay. */
  protect(ports: readonly ProtectedPort[]): Promise<void>;
  /** @throws {HknockError} `host` or `firewall` when connections could not be cut; all else is in force then */
  apply(transaction: Transaction): Promise<Failures>;
  /**
   * Those of these grants whose peer has a UDP flow, from the grant's source to one of its ports, that has been answered and that the
   * system has not forgotten. Not there where the backend cannot tell.
   * @throws {HknockError} `host` when the system cannot be asked
   */
  inUse?(grants: readonly Used[]): Promise<ReadonlySet<GrantId>>;
  /** Ends the backend: `open` takes our rules away, `shut` leaves the ports closed to everybody new. Safe to call twice. */
  stop(leave: 'open' | 'shut'): Promise<void>;
}
