import { HknockError } from '../../errors/hknock-error.ts';
import type { Finding } from '../../units/finding.ts';

/** A fault as findings, one for each line of it. @throws what is no {@link HknockError} */
export function faultFindings(fault: unknown): readonly Finding[] {
  if (!(fault instanceof HknockError)) throw fault;
  const { message, hint } = fault;
  const mend = hint === undefined ? {} : { mend: hint };
  return message.split('\n').map((text) => ({ level: 'fail', text, ...mend }));
}
