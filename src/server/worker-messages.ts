import type { DropReason } from '../errors/drop-reason.ts';
import type { Credential } from '../handshake/credential.ts';
import type { PeerName } from '../units/names.ts';
import type { Endpoint } from '../units/network.ts';

/** What a thread that reads knocks knows from the start. */
export interface KnockWorkerData {
  /** Under which all make their Challenges: 32 bytes. */
  readonly cookieRoot: Uint8Array;
  /** Whether it is to choose when there is too much, as the main thread does. */
  readonly chooses: boolean;
  /** Its counters, in the order of {@link workerCounters}. It alone writes them. */
  readonly counts: Float64Array<SharedArrayBuffer>;
  /** One number: the datagrams that it has handed on and that have not been taken yet. */
  readonly ahead: Int32Array<SharedArrayBuffer>;
}

/** What it is told. */
export type Notice =
  /** The descriptor is the thread's own. */
  | { readonly kind: 'opened'; readonly local: Endpoint; readonly descriptor: number }
  | { readonly kind: 'closed'; readonly local: Endpoint }
  | { readonly kind: 'added'; readonly name: PeerName; readonly credential: Credential }
  | { readonly kind: 'removed'; readonly tag: Uint8Array }
  /** Datagrams with these tags are not for the thread to judge. */
  | { readonly kind: 'handOn'; readonly tags: readonly Uint8Array[] }
  /** Somebody has proven himself from there. */
  | { readonly kind: 'granted'; readonly to: Endpoint }
  /** To be said back when all before it has been done. */
  | { readonly kind: 'mark'; readonly id: number };

/** What it says. */
export type Saying =
  | { readonly kind: 'ready' }
  | { readonly kind: 'mark'; readonly id: number }
  | {
      readonly kind: 'datagram';
      readonly bytes: Uint8Array;
      /** Whether it is a Response with a cookie of ours. */
      readonly isExpected: boolean;
      readonly remote: Endpoint;
      readonly local: Endpoint;
    };

/** Why a thread drops a datagram: what it can know without the replay record. */
export const droppedFor = [
  'length',
  'tag',
  'mac',
  'malformed',
  'cookie',
  'source',
  'expired',
  'overload',
] as const satisfies readonly DropReason[];

/** What a thread counts. */
export const workerCounters = [
  'received',
  'answered',
  'handedOn',
  ...droppedFor.map((reason) => `dropped ${reason}` as const),
] as const;

export type WorkerCounter = (typeof workerCounters)[number];
