import type { PeerName, ServiceName } from '../units/names.ts';
import type { IpAddress, Port, ServicePort } from '../units/network.ts';
import type { DurationMs, UnixMs } from '../units/time.ts';
import { hasFlags, SYN_FLAGS, type TcpFlags } from '../units/tcp-flags.ts';
import type { Packet } from './capture/packet.ts';
import type { Heard } from './tracker.ts';

/** Ports that stay shut and are listened to; with ICMP echo requests, of port 0, which go on their way. */
export interface WatchedPorts {
  readonly protocol: Packet['protocol'];
  readonly first: number;
  readonly last: number;
  /** Which TCP segments count; those that begin a connection if not said. */
  readonly flags?: TcpFlags;
}

/** What is to become of a service for an address. */
export type Action =
  | { readonly kind: 'open' }
  | { readonly kind: 'close' }
  /** closes what is open, and opens what is not */
  | { readonly kind: 'toggle' }
  /** closes, cuts the connections, and has all sequences from the source ignored for a time */
  | { readonly kind: 'ban'; readonly banMs: DurationMs }
  /** has all sequences from the source ignored for a time, and changes nothing that is open */
  | { readonly kind: 'lock out'; readonly lockMs: DurationMs };

/** What a source has asked for by the ports that it knocked at. */
export interface Verdict {
  readonly action: Action;
  readonly peer: PeerName;
  readonly service: ServiceName;
  /** The one port of the service that is meant; all of them if not said. */
  readonly port?: ServicePort;
  /** Whose access it is about; the source of the last packet if not said. */
  readonly address?: IpAddress;
  /** For how long, as far as the policy allows it; what the policy says if not said. */
  readonly lifetimeMs?: DurationMs;
  /** 32 bytes known to both sides only; left out when a scheme has no such secret. */
  readonly sessionSecret?: Uint8Array;
  /** With it, it counts once: for each credential no step counts that is not above the latest. */
  readonly once?: { readonly credential: string; readonly step: number };
  /** The knocks that it is made of; they count for nothing else. */
  readonly used: readonly Heard[];
}

/** A way in which ports are a message: the server's side. */
export interface Scheme {
  readonly name: string;
  /** One line: who, of the attackers in rationale.md, gets the better of it. */
  readonly fallsTo: string;
  readonly watched: readonly WatchedPorts[];
  /** The credentials of verdicts that count once: what is remembered of others may be forgotten. */
  readonly credentials?: readonly string[];
  /** Where any client is told the number of the sequence that is next; it is told the text. */
  readonly numbers?: { readonly port: Port; readonly tell: () => string };
  /** What the operator should know now; null when all is well. */
  readonly concern?: () => string | null;
  /** How long a sequence may take; what the configuration says for all if not said. */
  readonly windowMs?: DurationMs;
  /**
   * Looks at what has been heard from one source within the window, the newest last.
   * @returns null while it means nothing
   */
  judge(trail: readonly Heard[], now: UnixMs): Verdict | null;
}

/** What a client wants of a scheme. */
export interface Call {
  readonly action: 'open' | 'close' | 'ban';
  /** The port to have opened, where the scheme tells it. */
  readonly port?: ServicePort;
  /** The address to let in; left out for that of the packets. */
  readonly address?: IpAddress;
  readonly lifetimeMs?: DurationMs;
  /** Of the sequence to send, where they have numbers. */
  readonly number?: number;
}

/** A packet to send. */
export interface Hit {
  readonly protocol: Packet['protocol'];
  /** 0 with ICMP */
  readonly port: number;
  /** How long to wait before it, where that matters. */
  readonly delayMs?: number;
}

/** Whether a packet is a knock at one of these ports. */
export function isWatched(
  packet: Pick<Packet, 'protocol' | 'port' | 'tcpFlags'>,
  watched: readonly WatchedPorts[],
): boolean {
  return watched.some(
    (each) =>
      covers(each, packet) &&
      (packet.tcpFlags === null || hasFlags(packet.tcpFlags, each.flags ?? SYN_FLAGS)),
  );
}

/** Whether a port is one of these. */
export function covers(
  { protocol, first, last }: WatchedPorts,
  wanted: Pick<Packet, 'protocol' | 'port'>,
): boolean {
  return protocol === wanted.protocol && wanted.port >= first && wanted.port <= last;
}

/**
 * The last knocks at a scheme's ports from the address that the newest came from, in their order; packets to other ports do
 * not matter.
 * @returns null when there are fewer than `count`, or the newest is none
 */
export function lastKnocks(
  trail: readonly Heard[],
  watched: readonly WatchedPorts[],
  count: number,
): readonly Heard[] | null {
  const newest = trail.at(-1);
  if (newest === undefined || !isWatched(newest, watched)) return null;
  const own = trail.filter((each) => each.source === newest.source && isWatched(each, watched));
  return own.length < count ? null : own.slice(-count);
}

/** The last knocks, where they are a sequence's, in its order; null where they are not. */
export function lastSequence(
  trail: readonly Heard[],
  watched: readonly WatchedPorts[],
  sequence: readonly Hit[],
): readonly Heard[] | null {
  const used = lastKnocks(trail, watched, sequence.length);
  return used?.every((each, at) => isSame(each, sequence[at])) === true ? used : null;
}

/** What some packets are for, each once. */
export function portsOfHits(hits: readonly Hit[]): readonly WatchedPorts[] {
  return hits
    .filter((hit, at) => hits.findIndex((each) => isSame(each, hit)) === at)
    .map(({ protocol, port }) => ({ protocol, first: port, last: port }));
}

/** Whether a client wants something said that a sequence of fixed ports has no place for. */
export function saysMore({ port, address, lifetimeMs }: Call): boolean {
  return port !== undefined || address !== undefined || lifetimeMs !== undefined;
}

type PortOf = Pick<Hit, 'protocol' | 'port'>;

function isSame(a: PortOf, b: PortOf | undefined): boolean {
  return a.protocol === b?.protocol && a.port === b.port;
}
