import type { KeyObject } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { ServerFolder } from '../config/server-folder.ts';
import { CertificateJudge } from './certificate-judge.ts';
import type { Certificates } from './certificates.ts';
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
    const running = await run(context, materialOf(certificates, context.folder));
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
    const material = materialOf(this.#certificates, folder);
    if (isSame(material, this.#running.material)) return;
    const before = this.#running;
    this.#running = await run(this.#context, material);
    await before.stop();
  }

  async stop(): Promise<void> {
    await this.#running.stop();
  }
}

/** What a judge is made from. */
interface Material {
  readonly certificates: Certificates;
  readonly key: KeyObject;
  readonly ca: Uint8Array;
  readonly threads: number;
}

/** A judge at work. */
interface Running {
  readonly material: Material;
  readonly judge: CertificateJudge;
  stop(): Promise<void>;
}

function materialOf(certificates: Certificates, { config }: ServerFolder): Material {
  const { key, verifier } = certificates;
  // one processor is left to the event loop
  const usual = Math.max(1, availableParallelism() - 1);
  const threads = config.certificates?.threads ?? usual;
  return { certificates, key, ca: verifier.anchor.der, threads };
}

function isSame(a: Material, b: Material): boolean {
  return a.key.equals(b.key) && Buffer.compare(a.ca, b.ca) === 0 && a.threads === b.threads;
}

async function run(context: ModeContext, material: Material): Promise<Running> {
  const { folder, limits, port, clock, entropy, log } = context;
  const { certificates, threads } = material;
  const replayCapacity = folder.config.limits.replayRecords;
  const judge = await CertificateJudge.start({
    certificates,
    threads,
    limits,
    replayCapacity,
    clock,
    entropy,
    log,
  });
  const place = port.addJudge(judge);
  const stop = async (): Promise<void> => {
    place.remove();
    await judge.stop();
  };
  return { material, judge, stop };
}
