import type { Socket } from 'node:net';
import { DatagramFrameReader, encodeDatagramFrame, type FlowDatagram } from './datagram-frames.ts';
import { END_FRAME } from './frames.ts';

/** Bytes that may wait for the connection to take them; more are dropped, as a full queue of a router drops them. */
const MAX_QUEUED_LENGTH = 256 * 1024;

/** How long the other side may take to say the end too. */
const LINGER_MS = 5000;

/** Live flows of one connection, at either end (gate.md, section 4.3). */
export const MAX_FLOWS = 64;

export interface TunnelEvents {
  readonly receive: (datagram: FlowDatagram) => void;
  /** Called once when the connection is over: with null when both sides have said the end. */
  readonly over: (error: Error | null) => void;
}

/** Datagrams in frames over a connection, the same at both ends. Owns the connection. */
export class DatagramTunnel {
  readonly #connection: Socket;
  readonly #frames = new DatagramFrameReader();
  #saidEnd = false;
  #heardEnd = false;

  constructor(connection: Socket, { receive, over }: TunnelEvents) {
    this.#connection = connection;
    let fault: Error | null = null;
    connection.on('data', (bytes: Uint8Array) => {
      this.#receive(bytes, receive);
    });
    connection.on('error', (error) => (fault = error));
    connection.on('end', () => connection.end());
    connection.once('close', () => {
      over(this.#heardEnd ? null : (fault ?? new Error('the connection was cut')));
    });
  }

  /** Sends a datagram, or drops it when the connection is slower or the datagram too long. */
  send(datagram: FlowDatagram): void {
    const frame = encodeDatagramFrame(datagram);
    if (frame === null || this.#saidEnd) return;
    if (this.#connection.writableLength > MAX_QUEUED_LENGTH) return;
    this.#connection.write(frame);
  }

  /** Says that nothing more comes; the connection is over when the other side has said it too. Safe to call twice. */
  end(): void {
    if (this.#saidEnd) return;
    this.#saidEnd = true;
    const connection = this.#connection;
    connection.setTimeout(LINGER_MS, () => connection.destroy());
    connection.end(END_FRAME);
  }

  #receive(bytes: Uint8Array, receive: TunnelEvents['receive']): void {
    const read = this.#frames.read(bytes);
    if (read === null) {
      this.#connection.destroy(new Error('the other side sent what is no datagram'));
      return;
    }
    for (const each of read) {
      if (each !== 'end') {
        receive(each);
      } else {
        this.#heardEnd = true;
        this.end();
      }
    }
  }
}
