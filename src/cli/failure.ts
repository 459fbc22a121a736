import { HknockError } from '../errors/hknock-error.ts';
import { EXIT_BUG, exitCodes } from './exit-codes.ts';

/** Tells a fault on standard error, without a stack unless `debug`, and gives the exit code. */
export function reportFailure(fault: unknown, { debug }: { readonly debug: boolean }): number {
  if (debug) console.error(fault);
  if (fault instanceof HknockError) {
    console.error(`hknock: ${fault.message}`);
    if (fault.hint !== undefined) console.error(`  ${fault.hint}`);
    return exitCodes[fault.code];
  }
  console.error('hknock: this is a bug in hknock; please report it with what --debug prints');
  return EXIT_BUG;
}
