import type { PeerName, ServiceName } from '../units/names.ts';
import type { Protocol } from '../units/network.ts';
import type { UnixMs } from '../units/time.ts';
import type { Heard } from './tracker.ts';

/** Ports that stay shut and are listened to. */
export interface WatchedPorts {
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

/** What a source has proven by the ports that it knocked at. */
export interface Verdict {
  readonly peer: PeerName;
  readonly service: ServiceName;
  /** 32 bytes known to both sides only. */
  readonly sessionSecret: Uint8Array;
  /** The credential's id and the time step: whoever acts on it makes sure that the pair counts once. */
  readonly credential: string;
  readonly step: number;
  /** The knocks that it is made of; they count for nothing else. */
  readonly used: readonly Heard[];
}

/** A way in which ports are a message. */
export interface Scheme {
  readonly name: string;
  /** One line: who, of the attackers in rationale.md, gets the better of it. */
  readonly fallsTo: string;
  readonly watched: readonly WatchedPorts[];
  /**
   * Looks at what has been heard from one source, the newest last.
   * @returns null while it means nothing
   */
  judge(trail: readonly Heard[], now: UnixMs): Verdict | null;
}
