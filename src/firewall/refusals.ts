import { HknockError } from '../errors/hknock-error.ts';
import type { Failures, Opening, Transaction } from '../host/firewall.ts';

/** Refuses a grant whose admission a backend cannot enforce. */
export function refuseAdmission({ admission }: Opening): HknockError {
  return new HknockError('firewall', `this firewall cannot admit '${admission}'`);
}

/** Refuses all that a transaction would open. */
export function refuseAll({ opens }: Transaction, why: string): Failures {
  return new Map(opens.map(({ grant }) => [grant, new HknockError('firewall', why)]));
}
