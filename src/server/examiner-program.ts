// What a thread of the pool runs: the public-key work of certificate.md, section 4, steps 10 to 13.
import { parentPort, workerData } from 'node:worker_threads';
import { type Examination, examine, type Verdict } from '../certificate/examine.ts';
import { AgreementKey } from '../crypto/p256.ts';
import { CertificateVerifier } from '../pki/verifier.ts';
import type { UnixMs } from '../units/time.ts';
import type { ExaminerData } from './examiners.ts';
import type { Order, Report } from './worker-pool.ts';

/** One Response to look at, and the time by which its certificate is judged. */
export interface ExaminerJob {
  readonly examination: Examination;
  readonly unixMs: UnixMs;
}

const { key, ca } = workerData as ExaminerData;
const agreementKey = AgreementKey.from(key);
// without the list of revoked certificates, which changes: the main thread looks at that, last of all
const verifier = new CertificateVerifier({ ca });

function tell(report: Report<Verdict>): void {
  parentPort?.postMessage(report);
}

parentPort?.on('message', ({ id, job }: Order<ExaminerJob>) => {
  const verify = (der: Uint8Array) => verifier.verify(der, job.unixMs);
  tell({ id, result: examine(job.examination, { key: agreementKey, verify }) });
});
tell('ready');
