import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { END_FRAME, FrameReader, frameHeader, MAX_FRAME_LENGTH } from './frames.ts';

/** How long the other side may take to hang up when both have said all. */
const LINGER_MS = 5000;

type Done = (error?: Error | null) => void;

/**
 * Bytes in frames over a connection, the same at both ends. TLS alone would not do: Node gives a connection that was cut
 * short as one that has ended, and anybody on the path can forge the end of a TCP connection; and either end of data must be told
 * for itself. Owns the connection.
 */
export class FramedStream extends Duplex {
  readonly #connection: Socket;
  readonly #frames = new FrameReader();
  #heardAll = false;

  constructor(connection: Socket) {
    super();
    this.#connection = connection;
    connection.on('data', (bytes: Uint8Array) => {
      this.#receive(bytes);
    });
    connection.on('error', (error) => this.destroy(error));
    connection.on('end', () => {
      this.#breakOff('end');
    });
    connection.on('close', () => {
      this.#breakOff('close');
    });
  }

  override _read(): void {
    this.#connection.resume();
  }

  override _write(bytes: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    const connection = this.#connection;
    // one record for a frame and its length
    connection.cork();
    for (let at = 0; at < bytes.length; at += MAX_FRAME_LENGTH) {
      const body = bytes.subarray(at, at + MAX_FRAME_LENGTH);
      connection.write(frameHeader(body.length));
      connection.write(body, at + body.length === bytes.length ? done : undefined);
    }
    if (bytes.length === 0) done();
    connection.uncork();
  }

  override _final(done: Done): void {
    this.#connection.write(END_FRAME, done);
  }

  override _destroy(error: Error | null, done: Done): void {
    const connection = this.#connection;
    if (error === null && this.#heardAll && this.writableFinished) {
      connection.setTimeout(LINGER_MS, () => connection.destroy());
      connection.resume();
      connection.end();
    } else {
      connection.destroy();
    }
    done(error);
  }

  #receive(bytes: Uint8Array): void {
    const pieces = this.#frames.read(bytes);
    if (pieces === null) {
      this.destroy(new Error('the other side went on after its end'));
      return;
    }
    for (const piece of pieces) {
      if (piece === 'end') {
        this.#heardAll = true;
        this.push(null);
      } else if (!this.push(piece)) {
        this.#connection.pause();
      }
    }
  }

  // the other side may leave when both have said all, and not before
  #breakOff(how: 'end' | 'close'): void {
    const isOver = this.#heardAll && (how === 'end' || this.writableFinished);
    if (!isOver && !this.destroyed) this.destroy(new Error('the connection was cut'));
  }
}
