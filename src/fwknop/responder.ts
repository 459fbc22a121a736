import { hash } from 'node:crypto';
import { ascii } from '../bytes/bytes.ts';
import { Mac } from '../crypto/mac.ts';
import type { KnockLimits } from '../guard/knock-limits.ts';
import type { Knock } from '../units/knock.ts';
import type { PeerName, ServiceName } from '../units/names.ts';
import type { Endpoint, IpAddress, Port, ServicePort } from '../units/network.ts';
import type { DurationMs, MonotonicMs, UnixMs } from '../units/time.ts';
import { type AccessRequest, decodeAccess, decodeCommand, decodeNatAccess } from './access.ts';
import { type SpaDropReason, spaDropReasons } from './drop-reason.ts';
import { decodeMessage, type SpaMessage } from './message.ts';
import {
  isPacketText,
  MIN_PACKET_LENGTH,
  openPacket,
  type SpaKeys,
  verifyPacket,
} from './packet.ts';
import type { SeenPacket, SpaReplayRecord } from './replay-record.ts';

/** Longest packet that is taken: far above what any of the types needs. */
const MAX_PACKET_LENGTH = 1200;

/** Somebody who knocks with the client of fwknop. */
export interface SpaPeer {
  readonly name: PeerName;
  readonly keys: SpaKeys;
}

/** What holds for packets now. */
export interface SpaTerms {
  /** Tried one after the other: an SPA packet does not say whose it is. */
  readonly peers: readonly SpaPeer[];
  /** The service that a port belongs to; null when there is none for clients of this kind. */
  readonly serviceOf: (port: ServicePort) => ServiceName | null;
  /** Whether a port that a client names can lead to a service, as local NAT has it. */
  readonly canLead: (port: Port) => boolean;
  /** Where connections to a service's port are forwarded to; null when they end here. */
  readonly upstreamOf: (port: ServicePort) => Endpoint | null;
  /** Whether a peer may have a command run that has this name. */
  readonly mayRun: (peer: PeerName, name: string) => boolean;
  /** How far a packet's timestamp may lie from our clock. */
  readonly maxAgeMs: DurationMs;
  /** Whether a packet may leave its source open (T-F1 of fwknop.md). */
  readonly acceptsAnySource: boolean;
}

/** Where a packet came from and when. */
export interface SpaArrival {
  readonly source: Endpoint;
  readonly now: MonotonicMs;
  readonly unixMs: UnixMs;
}

/** A command that is to be run for a packet. */
export interface SpaCommand {
  readonly peer: PeerName;
  readonly name: string;
  readonly source: IpAddress;
}

/** What is to be done about a packet. */
export type SpaJudgement =
  | { readonly kind: 'drop'; readonly reason: SpaDropReason }
  | { readonly kind: 'command'; readonly command: SpaCommand; readonly seen: SeenPacket }
  | {
      readonly kind: 'knock';
      /** One for each port that is wanted. */
      readonly knocks: readonly Knock[];
      /** To be kept before anything is opened. */
      readonly seen: SeenPacket;
    };

export interface SpaResponderOptions {
  readonly limits: KnockLimits;
  readonly replays: SpaReplayRecord;
}

/** Always the same objects, so that dropping allocates nothing. */
const drops = Object.fromEntries(
  spaDropReasons.map((reason) => [reason, Object.freeze({ kind: 'drop', reason })]),
) as Record<SpaDropReason, SpaJudgement>;

const sessionLabel = ascii('hknock/1 fwknop session');

/** The receiving side of fwknop's single-packet authorization (fwknop.md, section 5). It never answers. */
export class SpaResponder {
  readonly #options: SpaResponderOptions;

  constructor(options: SpaResponderOptions) {
    this.#options = options;
  }

  /** Judges one packet; the first check that fails names the reason. Never throws for what a stranger may send. */
  receive(datagram: Uint8Array, terms: SpaTerms, arrival: SpaArrival): SpaJudgement {
    // step 1
    if (datagram.length < MIN_PACKET_LENGTH || datagram.length > MAX_PACKET_LENGTH) {
      return drops.length;
    }
    // step 2
    const packet = Buffer.from(datagram).toString('latin1');
    if (!isPacketText(packet)) return drops.encoding;
    // step 3
    const digest = hash('sha256', packet);
    if (this.#options.replays.has(digest)) return drops.replay;
    // step 4: nothing is decrypted before
    for (const peer of terms.peers) {
      const text = verifyPacket(peer.keys, packet);
      if (text !== null) return this.#open({ peer, text, digest }, terms, arrival);
    }
    return drops.hmac;
  }

  #open({ peer, text, digest }: Verified, terms: SpaTerms, arrival: SpaArrival): SpaJudgement {
    // step 5
    const plaintext = openPacket(peer.keys, text);
    if (plaintext === null) return drops.cipher;
    // step 6 and 7
    const message = decodeMessage(plaintext);
    if (typeof message === 'string') return drops[message];
    // step 8
    const seen = { digest, sentAt: (message.timestamp * 1000) as UnixMs };
    if (!this.#isTimely(seen, terms, arrival)) return drops.untimely;
    // step 9
    if (message.type === 'command') return this.#command({ peer, message, seen }, terms, arrival);
    // step 10
    const access = decodeAccess(message.text);
    if (access === null) return drops.message;
    // step 11
    const aim = aimOf(message, access, terms);
    if (aim === null) return drops['nat-access'];
    // step 12
    if (access.source === null && !terms.acceptsAnySource) return drops.source;
    // step 13
    const knocks = knocksOf({ peer, source: access.source, aim, message, seen }, terms, arrival);
    if (knocks === null) return drops.service;
    return this.#take({ kind: 'knock', knocks, seen }, peer, arrival);
  }

  #command(
    { peer, message, seen }: Pick<Wanted, 'peer' | 'message' | 'seen'>,
    { mayRun, acceptsAnySource }: SpaTerms,
    arrival: SpaArrival,
  ): SpaJudgement {
    const wanted = decodeCommand(message.text);
    if (wanted === null || !mayRun(peer.name, wanted.name)) return drops.command;
    // step 12
    if (wanted.source === null && !acceptsAnySource) return drops.source;
    const source = wanted.source ?? arrival.source.address;
    const command = { peer: peer.name, name: wanted.name, source };
    return this.#take({ kind: 'command', command, seen }, peer, arrival);
  }

  #take(
    judgement: Exclude<SpaJudgement, { kind: 'drop' }>,
    { name }: SpaPeer,
    { source, now }: SpaArrival,
  ): SpaJudgement {
    // step 14: of the packet's real source, which strangers cannot use up without a peer's key
    if (!this.#options.limits.take(name, source.address, now)) return drops.limit;
    // step 15
    return this.#options.replays.add(judgement.seen) ? judgement : drops.full;
  }

  #isTimely({ sentAt }: SeenPacket, { maxAgeMs }: SpaTerms, { unixMs }: SpaArrival): boolean {
    const { replays } = this.#options;
    replays.forget((unixMs - maxAgeMs) as UnixMs);
    return Math.abs(unixMs - sentAt) <= maxAgeMs && sentAt > replays.forgottenUpTo;
  }
}

/** A packet with a peer's HMAC. */
interface Verified {
  readonly peer: SpaPeer;
  /** The encrypted text. */
  readonly text: string;
  readonly digest: string;
}

/** What is to be opened. */
interface Aim {
  readonly ports: readonly ServicePort[];
  /** The port that leads there, if it is another. */
  readonly entrance?: Port;
}

interface Wanted {
  readonly peer: SpaPeer;
  readonly source: AccessRequest['source'];
  readonly aim: Aim;
  readonly message: SpaMessage;
  readonly seen: SeenPacket;
}

/** Null when a packet wants to be forwarded in a way that there is not here. */
function aimOf(
  { type, natAccess }: SpaMessage,
  { ports }: AccessRequest,
  { canLead, upstreamOf }: SpaTerms,
): Aim | null {
  if (natAccess === null) return { ports };
  const to = decodeNatAccess(natAccess);
  const [entrance, ...others] = ports;
  if (to === null || entrance === undefined || others.length > 0) return null;
  if (type.startsWith('local')) {
    // the address is one of ours by which the client knows us
    const wanted = { protocol: entrance.protocol, port: to.port };
    return canLead(entrance.port) ? { ports: [wanted], entrance: entrance.port } : null;
  }
  const upstream = upstreamOf(entrance);
  const isThere = upstream?.address === to.address && upstream.port === to.port;
  return isThere ? { ports } : null;
}

/** Null when one of the ports belongs to no service: all that a packet asks for, or nothing. */
function knocksOf(
  { peer, source, aim: { ports, entrance }, message, seen }: Wanted,
  { serviceOf }: SpaTerms,
  arrival: SpaArrival,
): readonly Knock[] | null {
  const observed = source === null ? arrival.source : { address: source, port: 0 };
  const seconds = message.timeoutSeconds ?? 0;
  const knocks: Knock[] = [];
  for (const port of ports) {
    const service = serviceOf(port);
    if (service === null) return null;
    knocks.push({
      peer: peer.name,
      service,
      port,
      // the client knows none of ours, but of a port of its own only one can be meant
      admission: entrance === undefined ? null : 'port',
      ...(entrance !== undefined && { entrance }),
      observed,
      claimed: null,
      isUntold: true,
      sessionSecret: new Mac(peer.keys.hmacKey).of(sessionLabel, ascii(seen.digest)),
      // 0 asks for what is usual
      ...(seconds > 0 && { lifetimeMs: (seconds * 1000) as DurationMs }),
    });
  }
  return knocks;
}
