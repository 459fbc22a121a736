import { appendFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { namespaces } from './probe.ts';

export { namespaces };

type Declare = (
  title: string,
  implementation: (t: ExecutionContext) => Promise<void> | void,
) => void;

/**
 * Declares a test that needs network namespaces. Where there are none it is skipped, and the last lines of
 * `npm test` say so; with HKNOCK_REQUIRE_NETNS=1 it fails instead, so that no build machine skips in silence.
 */
export const netTest: Declare & { readonly serial: Declare } = Object.assign(declare(test), {
  serial: declare(test.serial),
});

function declare(as: Declare): Declare {
  return (title, implementation) => {
    if (namespaces.available) {
      as(title, implementation);
    } else if (process.env['HKNOCK_REQUIRE_NETNS'] === '1') {
      as(title, (t) => {
        t.fail(namespaces.reason);
      });
    } else {
      test.skip(title, implementation);
      reportSkipped(title);
    }
  };
}

// AVA tells its own user that tests were skipped, but not why: `run.ts` collects these lines and prints them last
function reportSkipped(title: string): void {
  const report = process.env['HKNOCK_SKIP_REPORT'];
  if (report !== undefined) appendFileSync(report, `${namespaces.reason}\t${title}\n`);
}
