import type { Admission } from '../units/admission.ts';
import type { ServiceName } from '../units/names.ts';
import type { Endpoint, IpAddress, PortRange, ServicePort } from '../units/network.ts';
import type { SequenceShape } from '../units/sequence-shape.ts';
import type { DurationMs } from '../units/time.ts';

export const firewallBackends = ['nftables', 'iptables', 'userspace', 'command', 'none'] as const;

export type FirewallBackend = (typeof firewallBackends)[number];

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof logLevels)[number];

/** What `hknock.toml` says, checked, with its defaults filled in. */
export interface ServerConfig {
  /** The server's folder, absolute. */
  readonly directory: string;
  /** UDP addresses; at least one. */
  readonly listen: readonly Endpoint[];
  /** How clients reach this server from outside, each as `parseHost` gives it; may be empty. */
  readonly publicHosts: readonly string[];
  readonly server: ProcessConfig;
  readonly firewall: FirewallConfig;
  readonly policy: PolicyConfig;
  readonly admission: AdmissionConfig;
  readonly services: ReadonlyMap<ServiceName, ServiceConfig>;
  readonly limits: LimitsConfig;
  readonly gate: GateConfig;
  readonly sequence: SequenceConfig;
  readonly fwknop: FwknopConfig;
  readonly silent: SilentConfig;
  readonly logLevel: LogLevel;
  /** Absolute path of the control socket, at most 107 bytes. */
  readonly controlSocket: string;
  /** Null: no client comes with a certificate. */
  readonly certificates: CertificatesConfig | null;
  /** Null: sKnock is off. Otherwise there are certificates. */
  readonly sknock: SknockConfig | null;
}

interface ProcessConfig {
  /** Threads that read knocks, the main one included. */
  readonly workers: number;
}

export interface CertificatesConfig {
  /** Absolute path of the authority's certificate, PEM. */
  readonly ca: string;
  /** Absolute path of this server's private key, PEM. */
  readonly key: string;
  /** Where the list of revoked certificates is: an absolute path or an http or https URL. Null: there is none. */
  readonly crl: string | null;
  readonly crlRefreshMs: DurationMs;
  /** What holds when the list is out of date or missing: nobody gets in, or only a warning. */
  readonly onStale: 'closed' | 'warn';
  /** For public-key work; null: one less than there are processors. */
  readonly threads: number | null;
}

export interface SknockConfig {
  /** UDP addresses; at least one, none of them in `listen`. */
  readonly listen: readonly Endpoint[];
  /** Whether datagrams to any port of the reference client's range come in too. */
  readonly range: boolean;
  /** How far a request's time may be from ours, either way; whole seconds. */
  readonly windowMs: DurationMs;
  /** Whether the address in a request must be the one it comes from. */
  readonly checkAddress: boolean;
  /** Shortest Ethernet frame that is looked at, in bytes. */
  readonly minFrameLength: number;
}

export interface FirewallConfig {
  readonly backend: FirewallBackend;
  /** What stays behind when the server ends: everything open as if it had never run, or shut to everybody new. */
  readonly onStop: 'open' | 'shut';
  /** Whether the kernel is to drop what does not begin with a peer's tag, and floods, where the backend can. */
  readonly shield: boolean;
  readonly userspace: {
    /** Addresses on which the services' ports are served. */
    readonly listen: readonly IpAddress[];
  };
  readonly command: {
    /** Program and arguments; not empty when the backend is `command`. */
    readonly open: readonly string[];
    readonly close: readonly string[];
    /** After this long a command is killed and counts as failed. */
    readonly timeLimitMs: DurationMs;
  };
}

/** The TLS port of admission `gate`. */
interface GateConfig {
  /** TCP addresses, all with one port; none when there is no gate. */
  readonly listen: readonly Endpoint[];
  /** Whether connections may come from another address than the knock: the port is open to all then. */
  readonly anyAddress: boolean;
}

/** Knocks by the clients of fwknop. */
export interface FwknopConfig {
  readonly enabled: boolean;
  /** UDP addresses; at least one. */
  readonly listen: readonly Endpoint[];
  /** How far a packet's timestamp may lie from our clock. */
  readonly maxAgeMs: DurationMs;
  /** Whether a packet may leave its source open, so that whoever sends it on is let in. */
  readonly acceptAnySource: boolean;
  /** Program and arguments of each command that packets of peers may name; none unless the backend is `command`. */
  readonly commands: ReadonlyMap<string, readonly string[]>;
}

/** Connections whose sequence number is the knock. */
export interface SilentConfig {
  readonly enabled: boolean;
  /** Under which clients reach this server; at least one where the mode is on. */
  readonly addresses: readonly IpAddress[];
  /** Connections of one peer to one port within a time step. */
  readonly slots: number;
  /** Wrong numbers that are looked at in a day, and of them from one IPv4 address or IPv6 /64. */
  readonly guessesPerDay: number;
  readonly sourceGuessesPerDay: number;
  /** Whether the numbers of TCP Stealth are good too, each once in every step. */
  readonly hasTcpStealth: boolean;
  /** Whether strangers may have better odds to get in than one in a million a day. */
  readonly allowsGuessingOdds: boolean;
}

/** What holds where neither the service nor the peer says otherwise. */
interface PolicyConfig {
  /** The widest admission accepted. */
  readonly admission: Admission;
  /** How long a grant waits for its connection. */
  readonly ttlMs: DurationMs;
  /** How long a UDP flow that lives keeps a grant for the address in force. */
  readonly flowKeepMs: DurationMs;
  /** Whether revoking a peer also cuts its connections. */
  readonly cutOnRevoke: boolean;
}

/** How the narrow admissions are kept to. */
interface AdmissionConfig {
  /** Grants for `port` have theirs among these. */
  readonly ports: PortRange;
  /** New connections to these ports that one address may make for a grant. */
  readonly portGuesses: number;
}

export interface ServiceConfig {
  readonly name: ServiceName;
  /** 1 to MAX_SERVICE_PORTS, none of them another service's. */
  readonly ports: readonly ServicePort[];
  /** Where each of `ports` is really served, in the same order; null when nobody said, never with the userspace backend. */
  readonly upstream: readonly Endpoint[] | null;
  /** Whether connections through the gate begin with a header of the PROXY protocol. */
  readonly proxyProtocol: boolean;
  /** Null leaves it to the policy. */
  readonly admission: Admission | null;
  /** Null leaves it to the policy. */
  readonly ttlMs: DurationMs | null;
  /** Null leaves it to the policy. */
  readonly flowKeepMs: DurationMs | null;
  /** Whether peers whose files allow it too may have grants for the prefix of their address. */
  readonly prefix?: true;
}

/** A token bucket: so many at once, then so many a second. */
interface RateConfig {
  readonly perSecond: number;
  readonly burst: number;
}

export interface LimitsConfig {
  /** Knocks of one peer. */
  readonly peerKnocks: RateConfig;
  /** Knocks from one IPv4 address or IPv6 /64. */
  readonly sourceKnocks: RateConfig;
  /** Live grants of one peer. */
  readonly grantsPerPeer: number;
  /** Live grants to one IPv4 address or IPv6 /64. */
  readonly grantsPerSource: number;
  /** Live grants in all. */
  readonly grants: number;
  /** Knocks remembered so that none counts twice. */
  readonly replayRecords: number;
}

/** Knocks by sequences of ports. */
export interface SequenceConfig {
  /** Whether ports made from TOTP secrets are on. */
  readonly hasTotp: boolean;
  /** The other schemes that are on, each with a file of its own; when none is on at all, no port is watched. */
  readonly files: readonly string[];
  /** Where packets come from: the kernel's log group, or lines in a file. */
  readonly source: 'nflog' | 'log';
  /** The log group. */
  readonly group: number;
  readonly log: { readonly file: string; readonly prefix: string };
  /** Packets of one source in the window before it is ignored. */
  readonly budget: number;
  readonly windowMs: DurationMs;
  readonly ignoreMs: DurationMs;
  /** What the kernel hands on at most. */
  readonly packetsPerSecond: number;
  /** The same for one IPv4 address or IPv6 /64. */
  readonly sourcePacketsPerSecond: number;
  readonly totp: SequenceShape;
} /** Where a server listens for its operator, in its folder, unless its configuration says otherwise. */
export const controlSocketName = 'control.sock';
