import type { Verdict } from '../certificate/examine.ts';
import { lobbyKeys } from '../certificate/lobby.ts';
import {
  type CertificateJudgement,
  CertificateResponder,
  type Pending,
} from '../certificate/responder.ts';
import { limitKey } from '../bytes/prefix.ts';
import { pointOf } from '../crypto/p256.ts';
import type { Admits } from '../guard/crowd.ts';
import type { KnockLimits } from '../guard/knock-limits.ts';
import type { Judgement, Ticket } from '../handshake/judgement.ts';
import type { LeaseTicket } from '../handshake/leases.ts';
import type { Clock } from '../host/clock.ts';
import type { Entropy } from '../host/entropy.ts';
import type { Log } from '../host/log.ts';
import type { Outcome } from '../units/knock.ts';
import type { LeaseOutcome } from '../units/lease.ts';
import type { Endpoint } from '../units/network.ts';
import type { MonotonicMs } from '../units/time.ts';
import type { Certificates } from './certificates.ts';
import type { ExaminerJob } from './examiner-program.ts';
import { DropLog } from './drop-log.ts';
import type { Examiners } from './examiners.ts';
import type { Judge } from './knock-port.ts';
import { programBeside } from './start-thread.ts';
import { type PoolCounters, WorkerPool } from './worker-pool.ts';

/** Responses that may wait for a thread: about a third of a second's work of one. */
const LINE_CAPACITY = 1024;

export interface CertificateJudgeOptions {
  readonly certificates: Pick<Certificates, 'verifier'>;
  readonly examiners: Examiners;
  readonly limits: KnockLimits;
  readonly replayCapacity: number;
  readonly admits?: Admits;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** Judges the datagrams of clients with certificates: the responder, and threads for its public-key work. */
export class CertificateJudge implements Judge {
  readonly #options: CertificateJudgeOptions;
  readonly #responder: CertificateResponder;
  readonly #pool: WorkerPool<ExaminerJob, Verdict>;
  /** A stranger who holds the responder's public key can cause lines. */
  readonly #lines: DropLog;

  /** @throws {HknockError} `host` when its threads cannot start */
  static async start(options: CertificateJudgeOptions): Promise<CertificateJudge> {
    const { examiners, clock, log } = options;
    const pool = await WorkerPool.start<ExaminerJob, Verdict>({
      program: programBeside(import.meta.url, 'examiner-program'),
      ...examiners,
      capacity: LINE_CAPACITY,
      clock,
      log,
    });
    return new CertificateJudge(options, pool);
  }

  private constructor(options: CertificateJudgeOptions, pool: WorkerPool<ExaminerJob, Verdict>) {
    const { certificates, examiners, clock, ...rest } = options;
    this.#options = options;
    this.#lines = new DropLog('certificate refused', options);
    this.#pool = pool;
    const keys = lobbyKeys(pointOf(examiners.data.key));
    this.#responder = new CertificateResponder({
      keys,
      ...rest,
      isGood: (der) => typeof certificates.verifier.verify(der, clock.unixMs()) !== 'string',
    });
  }

  get replayRecordSize(): number {
    return this.#responder.replayRecordSize;
  }

  counters(): PoolCounters {
    return this.#pool.counters();
  }

  owns(datagram: Uint8Array): boolean {
    return this.#responder.owns(datagram);
  }

  receive(
    datagram: Uint8Array,
    source: Endpoint,
    now: MonotonicMs,
  ): Judgement | Promise<Judgement> {
    const judged = this.#responder.receive(datagram, source, now);
    return judged.kind === 'examine' ? this.#examine(judged) : judged;
  }

  conclude(ticket: Ticket, outcome: Outcome): Uint8Array {
    return this.#responder.conclude(ticket, outcome);
  }

  concludeLease(ticket: LeaseTicket, outcome: LeaseOutcome): Uint8Array | null {
    return this.#responder.concludeLease(ticket, outcome);
  }

  async stop(): Promise<void> {
    await this.#pool.stop();
  }

  async #examine({
    examination,
    pending,
  }: CertificateJudgement & { readonly kind: 'examine' }): Promise<Judgement> {
    const { clock } = this.#options;
    const job = { examination, unixMs: clock.unixMs() };
    const verdict = await this.#pool.run(limitKey(pending.observed.address), job);
    if (verdict === null) return this.#responder.abandon(pending);
    const latest = this.#lookAgain(verdict);
    this.#tell(latest, pending);
    return this.#responder.judge(pending, latest, clock.monotonicMs());
  }

  /** Authority, revocation and time as they are now, which the thread could not know. */
  #lookAgain(verdict: Verdict): Verdict {
    const { certificates, clock } = this.#options;
    if (verdict.kind === 'bad') return verdict;
    const found = certificates.verifier.verify(verdict.certificate, clock.unixMs());
    // what is kept with leases should be there once for each certificate, and the thread's is a copy
    if (typeof found !== 'string') return { ...verdict, certificate: found.der };
    return { kind: 'bad', reason: 'certificate', fault: found, peer: verdict.peer };
  }

  #tell(verdict: Verdict, { observed }: Pending): void {
    if (verdict.kind !== 'bad') return;
    const { fault, peer } = verdict;
    this.#lines.say(fault ?? verdict.reason, { source: observed.address, peer });
  }
}
