import type { BoundSocket } from '../dgram-ext/bound-socket.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { PeerTable } from '../handshake/peer-table.ts';
import type { Clock } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import type { FloodGate } from './flood-gate.ts';
import { KnockWorker } from './knock-worker.ts';
import { Restarts } from './restarts.ts';
import { programBeside, startThread } from './start-thread.ts';
import { workerCounters } from './worker-messages.ts';

export interface KnockWorkersOptions {
  /** Beside the main thread, which reads too. */
  readonly threads: number;
  /** Bound with descriptors. */
  readonly socket: Pick<BoundSocket, 'share' | 'accept'>;
  readonly peers: Pick<PeerTable, 'watch'>;
  readonly flood: Pick<FloodGate, 'expects' | 'watchGranted'>;
  /** What the main thread makes its own Challenges under. */
  readonly cookieRoot: Uint8Array;
  /** Whether the threads choose when there is too much; true if not said. */
  readonly chooses?: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Threads that read knocks from the same sockets as the main thread, and do what needs no memory. Whatever they let through comes to
 * the main thread as if it had read it itself, and is judged there from the first check on: it alone has the replay record, the limits and
 * the grants, so there is one of each however many threads there are.
 */
export class KnockWorkers {
  readonly #options: KnockWorkersOptions;
  readonly #workers = new Set<KnockWorker>();
  readonly #restarts: Restarts;
  /** Of threads that have ended too. */
  readonly #counts: Float64Array<SharedArrayBuffer>[] = [];
  #handOn: readonly Uint8Array[] = [];

  /** @throws {HknockError} `host` when one cannot start; none is left then */
  static async start(options: KnockWorkersOptions): Promise<KnockWorkers> {
    const workers = new KnockWorkers(options);
    try {
      await Promise.all(Array.from({ length: options.threads }, () => workers.#begin()));
      return workers;
    } catch (cause) {
      await workers.stop();
      throw new HknockError('host', 'a thread that reads knocks could not start', { cause });
    }
  }

  private constructor(options: KnockWorkersOptions) {
    this.#options = options;
    this.#restarts = new Restarts(options);
  }

  /** What the threads have counted, together. */
  counters(): Readonly<Record<string, number>> {
    const sum = (at: number): number =>
      this.#counts.reduce((total, counts) => total + (counts[at] ?? 0), 0);
    return {
      threads: this.#workers.size,
      crashed: this.#restarts.crashed,
      ...Object.fromEntries(workerCounters.map((name, at) => [name, sum(at)])),
    };
  }

  /** Leaves datagrams with these tags to the main thread; resolves when all that was changed before counts in every thread. */
  async leave(tags: readonly Uint8Array[]): Promise<void> {
    this.#handOn = tags;
    await Promise.all([...this.#workers].map((each) => each.leave(tags)));
  }

  /** Ends all threads. Safe to call twice. */
  async stop(): Promise<void> {
    this.#restarts.stop();
    await Promise.all([...this.#workers].map((each) => each.stop()));
  }

  /** Rejects when the thread ends before it is ready; its end has been told then. */
  async #begin(): Promise<void> {
    const { socket, peers, flood, cookieRoot, chooses = true } = this.#options;
    const counts = this.#newCounts();
    const ahead = new Int32Array(new SharedArrayBuffer(4));
    const program = programBeside(import.meta.url, 'knock-worker-program');
    const thread = startThread(program, { cookieRoot, chooses, counts, ahead });
    const worker = new KnockWorker(thread, {
      take: ({ bytes, remote, local, isExpected }) => {
        Atomics.sub(ahead, 0, 1);
        // it has been chosen once: that it comes by another thread must not cost it its turn
        if (isExpected) flood.expects(remote);
        socket.accept(bytes, remote, local);
      },
      onEnd: (fault) => {
        this.#workers.delete(worker);
        this.#restarts.after(fault, () => this.#begin());
      },
    });
    this.#workers.add(worker);
    // not before: a thread that does not get so far would leave the descriptors open
    await worker.ready;
    worker.follow({ socket, peers, flood });
    await worker.leave(this.#handOn);
  }

  #newCounts(): Float64Array<SharedArrayBuffer> {
    const bytes = new SharedArrayBuffer(8 * workerCounters.length);
    const counts = new Float64Array(bytes);
    this.#counts.push(counts);
    return counts;
  }
}
