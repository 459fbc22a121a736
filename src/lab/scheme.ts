import type { Hand } from './hand.ts';
import type { Guessing } from './guessing.ts';
import type { HostOrders } from './host-program.ts';
import type { AttackerName, Expectation } from './model.ts';
import type { Network } from './network.ts';
import type { Packet } from './packet.ts';

export type Host = Hand<HostOrders>;

/** A network with a service on the server, and somewhere to put files. */
export interface World {
  readonly network: Network;
  readonly client: Host;
  readonly server: Host;
  /** What the server sees of the client. */
  readonly clientAddress: string;
  /** A path in a folder of this world's own. */
  readonly path: (name: string) => string;
}

/** A way of knocking that is attacked. */
export interface Scheme {
  readonly name: string;
  readonly title: string;
  /** Programs that must be there. */
  readonly programs: readonly string[];
  /** Where the service is served; SERVICE_PORT if not said. */
  readonly servicePort?: number;
  /** False where clients behind a NAT cannot knock; they have no NAT then, but where the attacker must be behind one. */
  readonly behindNat: boolean;
  /** What each attacker is expected to come to. */
  readonly expected: Readonly<Record<AttackerName, Expectation>>;
  /** Puts it before the service, with one client. */
  readonly deploy: (world: World) => Promise<Defence>;
}

/** A scheme at work, and its client. */
export interface Defence {
  /** Where connections go that want to the service, for those who do not know better. */
  readonly ports: readonly number[];
  /** The client knocks, and does not connect. Settles when it has done all it does. */
  readonly knock: () => Promise<void>;
  /** It knocks and connects; the number of the connection, or 0 when it does not get in. */
  readonly enter: (withinMs: number) => Promise<number>;
  /** Whether the SYN of the client's connection is its knock; whoever has its number can connect with that. */
  readonly knocksByConnecting?: boolean;
  /** Whether its knock is a single datagram, in which there is nothing to interrupt. */
  readonly knocksInOne?: boolean;
  /** Of the client's packets that belong to its knock: the one that proves something, where that is not all of them. */
  readonly isProof?: (packet: Packet) => boolean;
  /** How somebody without the secrets tries some; null where nobody does. */
  readonly guessing: Guessing | null;
  /** Where the server answers knocks: the client asks for more than it may have; whether it believes that it was granted. */
  readonly asksTooMuch?: () => Promise<boolean>;
  /** Where the server sets cookies. */
  readonly fleet?: Fleet;
  /** Shuts the client out, others not; null where the scheme cannot. */
  readonly revoke: (() => Promise<void>) | null;
  /** Ends what was opened, as if its time were over; the client may knock again. */
  readonly endGrants: () => Promise<void>;
}

/** Servers with the same keys, and cookies of their own. */
export interface Fleet {
  /** The client's server ends, and starts again. */
  readonly restart: () => Promise<void>;
  /** Starts the second one, from a copy of the folder of the first. */
  readonly startTwin: () => Promise<void>;
  /** How many Responses each has refused for their cookie since it started. */
  readonly refused: () => Promise<readonly [server: number, twin: number]>;
}

/** The TCP port of the service. */
export const SERVICE_PORT = 8080;
