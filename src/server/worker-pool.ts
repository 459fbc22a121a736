import type { Worker } from 'node:worker_threads';
import { HknockError } from '../errors/hknock-error.ts';
import { WaitingLine } from '../guard/waiting-line.ts';
import type { Clock } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import { Restarts } from './restarts.ts';
import { startThread } from './start-thread.ts';

/** Work that a thread has been given. */
export interface Order<Job> {
  readonly id: number;
  readonly job: Job;
}

/** What it says when it is done; once with `ready` when it can begin. */
export type Report<Result> = 'ready' | { readonly id: number; readonly result: Result };

export interface WorkerPoolOptions {
  /** The program of each thread; see {@link programBeside}. */
  readonly program: URL;
  /** Given to each thread as it starts. */
  readonly data: unknown;
  readonly threads: number;
  /** Jobs that may wait. */
  readonly capacity: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface PoolCounters {
  readonly threads: number;
  readonly waiting: number;
  readonly done: number;
  /** Dropped from the line, which was full. */
  readonly overflowed: number;
  /** Threads that ended by themselves. */
  readonly crashed: number;
}

interface Waiting<Job, Result> {
  readonly job: Job;
  /** Null: it will not be done. */
  readonly resolve: (result: Result | null) => void;
}

/** One that is with the thread and one behind it, so that the thread need not wait for us. */
const ORDERS_AHEAD = 2;

/** Threads for work that would hold up the event loop. A thread that ends is replaced; what it had in hand is not tried again. */
export class WorkerPool<Job, Result> {
  readonly #options: WorkerPoolOptions;
  readonly #line: WaitingLine<Waiting<Job, Result>>;
  readonly #threads = new Set<Thread<Job, Result>>();
  readonly #restarts: Restarts;
  #done = 0;
  #overflowed = 0;

  /**
   * Starts all threads, and waits until they are ready.
   * @throws {HknockError} `host` when one cannot start; none is left then
   */
  static async start<Job, Result>(options: WorkerPoolOptions): Promise<WorkerPool<Job, Result>> {
    const pool = new WorkerPool<Job, Result>(options);
    const started = Array.from({ length: options.threads }, () => pool.#startThread().ready);
    try {
      await Promise.all(started);
    } catch (cause) {
      await pool.stop();
      throw new HknockError('host', 'a thread for public-key work could not start', { cause });
    }
    return pool;
  }

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#line = new WaitingLine(options.capacity);
    this.#restarts = new Restarts(options);
  }

  /** Has a job done; null when it was dropped from the line or its thread ended. @param source on whose account it waits */
  run(source: string, job: Job): Promise<Result | null> {
    return new Promise((resolve) => {
      if (this.#restarts.isStopped) {
        resolve(null);
        return;
      }
      const dropped = this.#line.push(source, { job, resolve });
      if (dropped !== null) {
        this.#overflowed++;
        dropped.resolve(null);
      }
      this.#giveWork();
    });
  }

  counters(): PoolCounters {
    return {
      threads: this.#threads.size,
      waiting: this.#line.size,
      done: this.#done,
      overflowed: this.#overflowed,
      crashed: this.#restarts.crashed,
    };
  }

  /** Ends all threads; what was not done will not be. Safe to call twice. */
  async stop(): Promise<void> {
    this.#restarts.stop();
    for (let left = this.#line.shift(); left !== null; left = this.#line.shift()) {
      left.resolve(null);
    }
    await Promise.all([...this.#threads].map((each) => each.stop()));
  }

  #startThread(): Thread<Job, Result> {
    const { program, data } = this.#options;
    const thread = new Thread<Job, Result>(startThread(program, data), {
      onDone: () => {
        this.#done++;
        this.#giveWork();
      },
      onEnd: (fault) => {
        this.#threads.delete(thread);
        this.#restarts.after(fault, async () => {
          await this.#startThread().ready;
          this.#giveWork();
        });
      },
    });
    this.#threads.add(thread);
    return thread;
  }

  #giveWork(): void {
    for (;;) {
      const free = this.#freest();
      if (free === null) return;
      const next = this.#line.shift();
      if (next === null) return;
      free.give(next);
    }
  }

  #freest(): Thread<Job, Result> | null {
    const [first] = [...this.#threads].sort((a, b) => a.inHand - b.inHand);
    return first === undefined || first.inHand >= ORDERS_AHEAD ? null : first;
  }
}

interface ThreadEvents {
  readonly onDone: () => void;
  readonly onEnd: (fault: Error | null) => void;
}

/** One thread and what it has in hand. */
class Thread<Job, Result> {
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  readonly #inHand = new Map<number, Waiting<Job, Result>>();
  #nextId = 0;
  #isReady = false;
  #fault: Error | null = null;

  constructor(worker: Worker, { onDone, onEnd }: ThreadEvents) {
    this.#worker = worker;
    this.ready = new Promise((resolve, reject) => {
      worker.on('message', (report: Report<Result>) => {
        if (report === 'ready') {
          this.#isReady = true;
          resolve();
          return;
        }
        this.#take(report);
        onDone();
      });
      worker.on('error', (fault) => (this.#fault = fault));
      worker.once('exit', () => {
        reject(new Error('the thread ended', { cause: this.#fault }));
        for (const { resolve: tell } of this.#inHand.values()) tell(null);
        this.#inHand.clear();
        onEnd(this.#fault);
      });
    });
  }

  /** As many as it can take while it is not ready. */
  get inHand(): number {
    return this.#isReady ? this.#inHand.size : ORDERS_AHEAD;
  }

  give(waiting: Waiting<Job, Result>): void {
    const order: Order<Job> = { id: this.#nextId++, job: waiting.job };
    this.#inHand.set(order.id, waiting);
    this.#worker.postMessage(order);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #take({ id, result }: Exclude<Report<Result>, 'ready'>): void {
    const waiting = this.#inHand.get(id);
    this.#inHand.delete(id);
    waiting?.resolve(result);
  }
}
