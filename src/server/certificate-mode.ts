import type { ServerFolder } from '../config/server-folder.ts';
import { CertificateJudge } from './certificate-judge.ts';
import type { Certificates } from './certificates.ts';
import { areSame, type Examiners, examinersFor } from './examiners.ts';
import type { Mode, ModeContext, StartMode } from './mode.ts';

/** Takes knocks of clients with certificates on the port of the others, when the configuration has certificates. */
export const startCertificateMode: StartMode = async (context) => {
  const { certificates } = context;
  return certificates === null ? null : CertificateMode.start(context, certificates);
};

class CertificateMode implements Mode {
  readonly name = 'certificate';
  readonly #context: ModeContext;
  readonly #certificates: Certificates;
  #running: Running;

  /** @throws {HknockError} `host` when the threads cannot start */
  static async start(context: ModeContext, certificates: Certificates): Promise<CertificateMode> {
    const running = await run(context, certificates, examinersFor(certificates, context.folder));
    return new CertificateMode(context, certificates, running);
  }

  private constructor(context: ModeContext, certificates: Certificates, running: Running) {
    this.#context = context;
    this.#certificates = certificates;
    this.#running = running;
  }

  counters(): Readonly<Record<string, number>> {
    const { judge } = this.#running;
    return { ...judge.counters(), replayRecords: judge.replayRecordSize };
  }

  /** Another authority, or key of ours, wants another judge; nothing that was said to the old one counts any more. */
  async reload(folder: ServerFolder): Promise<void> {
    const examiners = examinersFor(this.#certificates, folder);
    if (areSame(examiners, this.#running.examiners)) return;
    const before = this.#running;
    this.#running = await run(this.#context, this.#certificates, examiners);
    await before.stop();
  }

  async stop(): Promise<void> {
    await this.#running.stop();
  }
}

/** A judge at work. */
interface Running {
  readonly examiners: Examiners;
  readonly judge: CertificateJudge;
  stop(): Promise<void>;
}

async function run(
  context: ModeContext,
  certificates: Certificates,
  examiners: Examiners,
): Promise<Running> {
  const { folder, limits, port, flood, clock, entropy, log } = context;
  const replayCapacity = folder.config.limits.replayRecords;
  const judge = await CertificateJudge.start({
    certificates,
    examiners,
    limits,
    replayCapacity,
    admits: flood.admits,
    clock,
    entropy,
    log,
  });
  const place = port.addJudge(judge);
  const stop = async (): Promise<void> => {
    place.remove();
    await judge.stop();
  };
  return { examiners, judge, stop };
}
