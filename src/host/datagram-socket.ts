import type { Endpoint } from '../units/network.ts';

/** What a socket has seen and lost since it was opened; each only grows. */
export interface DatagramCounters {
  /** Every datagram that came, whatever became of it. */
  readonly received: number;
  readonly sent: number;
  /** Longer than MAX_DATAGRAM_LENGTH and not handed on. */
  readonly truncated: number;
  /** Not sent: the send buffer was full, or the system refused the destination. */
  readonly sendDropped: number;
  /** Dropped by the kernel before we could read them, as far as the system tells; 0 where it does not. */
  readonly receiveDropped: number;
}

/** Longest datagram of any message (protocol limit, wire.md, section 1). */
export const MAX_DATAGRAM_LENGTH = 1200;

/**
 * Receives one datagram. The bytes are the callee's only for the length of the call.
 * @param local the address of ours that it was sent to; hand it back to `send`
 */
export type DatagramListener = (bytes: Uint8Array, remote: Endpoint, local: Endpoint) => void;

/** A UDP endpoint, maybe over several sockets; made by `dgram-ext`. */
export interface DatagramSocket {
  /** Every local address bound, in no promised order. */
  readonly local: readonly Endpoint[];
  /**
   * Takes over all datagrams from now on; one listener at a time. Those that come with none are counted, not kept.
   * @param onTooLong told where one came from that is longer than MAX_DATAGRAM_LENGTH
   */
  listen(listener: DatagramListener, onTooLong?: (remote: Endpoint) => void): void;
  /** Sends, or drops and counts: never waits, never throws for a network reason. `local` chooses the source address. The bytes must stay as they are: they may leave later. */
  send(bytes: Uint8Array, remote: Endpoint, local: Endpoint): void;
  counters(): DatagramCounters;
  /** Resolves when nothing will be called any more. Safe to call twice. */
  close(): Promise<void>;
}
