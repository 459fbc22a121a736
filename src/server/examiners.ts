import type { KeyObject } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { ServerFolder } from '../config/server-folder.ts';
import type { Certificates } from './certificates.ts';

/** What each thread for public-key work knows from the start. */
export interface ExaminerData {
  /** This server's private key. */
  readonly key: KeyObject;
  /** The authority's certificate, DER. */
  readonly ca: Uint8Array;
}

/** What makes threads for public-key work, and makes others necessary when it changes. */
export interface Examiners {
  readonly data: ExaminerData;
  readonly threads: number;
}

/** What the certificates, as they are now, and the configuration want. */
export function examinersFor(
  { key, verifier }: Pick<Certificates, 'key' | 'verifier'>,
  { config }: ServerFolder,
): Examiners {
  // one processor is left to the event loop
  const usual = Math.max(1, availableParallelism() - 1);
  const data = { key, ca: verifier.anchor.der };
  return { data, threads: config.certificates?.threads ?? usual };
}

/** Whether the threads of the one do for the other. */
export function areSame(a: Examiners, b: Examiners): boolean {
  return (
    a.threads === b.threads &&
    a.data.key.equals(b.data.key) &&
    Buffer.compare(a.data.ca, b.data.ca) === 0
  );
}
