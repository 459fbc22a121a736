import { limitKey } from '../bytes/prefix.ts';
import type { IpAddress } from '../units/network.ts';
import { later, type MonotonicMs } from '../units/time.ts';
import type { Packet } from './capture/packet.ts';

/** A packet as it is remembered. */
export type Heard = Pick<
  Packet,
  'protocol' | 'source' | 'sourcePort' | 'port' | 'ttl' | 'tcpFlags' | 'syn'
> & {
  readonly at: MonotonicMs;
};

export interface TrackerLimits {
  /** Packets of one IPv4 address or IPv6 /64 within the window: one more, and it is ignored for a while. */
  readonly budget: number;
  /** How long a packet is remembered, and so how long a sequence may take. */
  readonly windowMs: number;
  readonly ignoreMs: number;
  /** Sources and packets remembered, both counted. */
  readonly capacity: number;
}

/** What has been heard from a source, the newest last; or why that is not to be looked at. */
export type Observation =
  | { readonly kind: 'heard'; readonly trail: readonly Heard[] }
  /** the same packet again: a retransmission */
  | { readonly kind: 'repeated' }
  /** the one packet too many: from now on the source is ignored */
  | { readonly kind: 'exhausted' }
  | { readonly kind: 'ignored' };

interface Source {
  trail: readonly Heard[];
  ignoredUntil: MonotonicMs | null;
}

/**
 * Remembers what each source has knocked at. Whoever guesses runs out of budget; whoever sends from ever new
 * addresses only pushes out what was heard least recently.
 */
export class Tracker {
  readonly #limits: TrackerLimits;
  readonly #sources = new Map<string, Source>();
  /**
   * Stands before the source heard least recently. Kept, because each new one would have to pass all places at the map's
   * beginning from which something was taken: tens of thousands in a scan from ever new addresses.
   */
  #oldest = this.#sources.keys();
  #packets = 0;

  constructor(limits: TrackerLimits) {
    this.#limits = limits;
  }

  /** Sources and packets remembered: never more than the capacity. */
  get size(): number {
    return this.#sources.size + this.#packets;
  }

  observe(packet: Packet, now: MonotonicMs): Observation {
    const key = limitKey(packet.source);
    const source = this.#sources.get(key) ?? { trail: [], ignoredUntil: null };
    if (source.ignoredUntil !== null && now < source.ignoredUntil) return { kind: 'ignored' };
    const { windowMs, budget, ignoreMs } = this.#limits;
    const recent = source.trail.filter(({ at }) => now - at <= windowMs);
    if (recent.some((each) => isSame(each, packet))) return { kind: 'repeated' };
    if (recent.length >= budget) {
      this.#keep(key, { trail: [], ignoredUntil: later(now, ignoreMs) });
      return { kind: 'exhausted' };
    }
    const { protocol, source: from, sourcePort, port, ttl, tcpFlags, syn } = packet;
    const heard = { protocol, source: from, sourcePort, port, ttl, tcpFlags, syn, at: now };
    const trail = [...recent, heard];
    this.#keep(key, { trail, ignoredUntil: null });
    return { kind: 'heard', trail };
  }

  /** Takes knocks out that have counted: they are no guesses, and are to open nothing else. */
  consume(from: IpAddress, used: readonly Heard[]): void {
    const key = limitKey(from);
    const source = this.#sources.get(key);
    if (source === undefined) return;
    this.#keep(key, { ...source, trail: source.trail.filter((each) => !used.includes(each)) });
  }

  // put back at the end: the map's order is the order of use
  #keep(key: string, source: Source): void {
    this.#forget(key);
    this.#sources.set(key, source);
    this.#packets += source.trail.length;
    while (this.size > this.#limits.capacity) {
      const { done, value: oldest } = this.#oldest.next();
      if (done === true) this.#oldest = this.#sources.keys();
      else if (oldest === key) return;
      else this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#packets -= this.#sources.get(key)?.trail.length ?? 0;
    this.#sources.delete(key);
  }
}

function isSame(heard: Heard, packet: Packet): boolean {
  const { protocol, source, sourcePort, port, tcpFlags } = packet;
  return (
    heard.port === port &&
    heard.tcpFlags === tcpFlags &&
    heard.sourcePort === sourcePort &&
    heard.source === source &&
    heard.protocol === protocol
  );
}
