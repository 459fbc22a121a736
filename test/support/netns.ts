import type { ExecutionContext } from 'ava';
import { joinRun } from '../../src/lab/netns.ts';

export {
  execute,
  type ExecOptions,
  type Finished,
  interfaceTo,
  link,
  makeTogether,
  Namespace,
  newRun,
  until,
} from '../../src/lab/netns.ts';

// the runner sets one for a whole run, so that it can look for what the run left behind
const run = process.env['HKNOCK_TEST_RUN'];
if (run !== undefined) joinRun(run);

/** What things end with: a test, or all the tests of a file (for-file.ts). */
export type Owner = Pick<ExecutionContext, 'teardown'>;

/** Undoes something when the test ends, however it ends; the last thing made is undone first. */
export function cleanUp(t: Owner, undo: () => Promise<void> | void): void {
  t.teardown(undo);
}
