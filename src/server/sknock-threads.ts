import { limitKey } from '../bytes/prefix.ts';
import type { Clock } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import type { SknockExamination, SknockVerdict } from '../sknock/examine.ts';
import { areSame, type Examiners } from './examiners.ts';
import { programBeside } from './start-thread.ts';
import { type PoolCounters, WorkerPool } from './worker-pool.ts';

/** Datagrams that may wait: about a third of a second's work of one thread. */
const LINE_CAPACITY = 1024;

type Pool = WorkerPool<SknockExamination, SknockVerdict>;

interface Host {
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Threads for sKnock's public-key work. None of those that certificate.md has: anybody can send what these must look at, and must
 * not be able to crowd out who has answered a challenge.
 */
export class SknockThreads {
  readonly #host: Host;
  #examiners: Examiners;
  #pool: Pool;

  /** @throws {HknockError} `host` when they cannot start */
  static async start(examiners: Examiners, host: Host): Promise<SknockThreads> {
    return new SknockThreads(examiners, await startPool(examiners, host), host);
  }

  private constructor(examiners: Examiners, pool: Pool, host: Host) {
    this.#examiners = examiners;
    this.#pool = pool;
    this.#host = host;
  }

  counters(): PoolCounters {
    return this.#pool.counters();
  }

  /** Null when it had to go from the line before its turn, or its thread ended. Does not reject. */
  examine(examination: SknockExamination): Promise<SknockVerdict | null> {
    return this.#pool.run(limitKey(examination.source), examination);
  }

  /** Takes others where they are wanted. @throws {HknockError} as `start`; these go on then */
  async replace(examiners: Examiners): Promise<void> {
    if (areSame(examiners, this.#examiners)) return;
    const before = this.#pool;
    this.#pool = await startPool(examiners, this.#host);
    this.#examiners = examiners;
    await before.stop();
  }

  async stop(): Promise<void> {
    await this.#pool.stop();
  }
}

function startPool({ data, threads }: Examiners, host: Host): Promise<Pool> {
  return WorkerPool.start<SknockExamination, SknockVerdict>({
    program: programBeside(import.meta.url, 'sknock-examiner-program'),
    data,
    threads,
    capacity: LINE_CAPACITY,
    ...host,
  });
}
