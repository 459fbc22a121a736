import { HknockError } from '../errors/hknock-error.ts';
import { reportFailure } from './failure.ts';

/** Tells what nobody caught as every other fault is told, so that no user meets a stack trace. */
export function spreadSafetyNet(isDebug: () => boolean): void {
  process.on('uncaughtException', (fault) => {
    process.exit(reportFailure(fault, { debug: isDebug() }));
  });
  process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
    // whoever reads has seen enough, as `head` has
    if (cause.code === 'EPIPE') return;
    const fault = new HknockError('host', `cannot write the output: ${cause.message}`, { cause });
    process.exitCode = reportFailure(fault, { debug: isDebug() });
  });
  // a server must not end because nobody reads its log any more
  process.stderr.on('error', () => undefined);
}
