import { limitKey } from '../bytes/prefix.ts';
import type { PeerName } from '../units/names.ts';
import type { IpAddress } from '../units/network.ts';
import type { MonotonicMs } from '../units/time.ts';
import { type Rate, TokenBuckets } from './token-buckets.ts';

/** Peers and sources remembered at a time; more than that at once is no longer a server's normal day. */
const BUCKETS = 65_536;

/** How often a peer, and how often an address, may knock. Asked only about proven knocks (T-08). */
export class KnockLimits {
  readonly #peers: TokenBuckets;
  readonly #sources: TokenBuckets;

  /** @param perSource for an IPv4 address or an IPv6 /64 */
  constructor(perPeer: Rate, perSource: Rate) {
    this.#peers = new TokenBuckets(perPeer, BUCKETS);
    this.#sources = new TokenBuckets(perSource, BUCKETS);
  }

  /** Counts a knock; false when it is one too many, and then it counts for neither. */
  take(peer: PeerName, source: IpAddress, now: MonotonicMs): boolean {
    const prefix = limitKey(source);
    if (!this.#peers.has(peer, now) || !this.#sources.has(prefix, now)) return false;
    this.#peers.take(peer, now);
    this.#sources.take(prefix, now);
    return true;
  }
}
