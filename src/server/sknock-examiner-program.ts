// What a thread of the pool runs: the public-key work of sknock.md, section 5, steps 4 to 12.
import { parentPort, workerData } from 'node:worker_threads';
import { CertificateVerifier } from '../pki/verifier.ts';
import { RequestOpener } from '../sknock/ecies.ts';
import { examine, type SknockExamination, type SknockVerdict } from '../sknock/examine.ts';
import type { ExaminerData } from './examiners.ts';
import type { Order, Report } from './worker-pool.ts';

const { key, ca } = workerData as ExaminerData;
const opener = new RequestOpener(key);
// without the list of revoked certificates, which changes: the main thread looks at that, last of all
const verifier = new CertificateVerifier({ ca });

function tell(report: Report<SknockVerdict>): void {
  parentPort?.postMessage(report);
}

parentPort?.on('message', ({ id, job }: Order<SknockExamination>) => {
  const verify = (der: Uint8Array) => verifier.verify(der, job.unixMs);
  tell({ id, result: examine(job, { opener, verify }) });
});
tell('ready');
