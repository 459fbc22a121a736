import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { namespaces } from './probe.ts';
import { isInstalled } from './programs.ts';

export { namespaces };

type Declare = (
  title: string,
  implementation: (t: ExecutionContext) => Promise<void> | void,
) => void;

type NetTest = Declare & { readonly serial: Declare };

/**
 * Declares a test that needs network namespaces. Where there are none it is skipped, and the last lines of
 * `npm test` say so; with HKNOCK_REQUIRE_NETNS=1 it fails instead, so that no build machine skips in silence.
 */
export const netTest: NetTest = netTestWith();

/** The same for a test that also needs programs, such as `nmap`. */
export function netTestWith(...programs: readonly string[]): NetTest {
  const lack = namespaces.available ? lackOf(programs) : namespaces.reason;
  return Object.assign(declare(test, lack), { serial: declare(test.serial, lack) });
}

/** The same for a test that needs programs, and no namespaces. */
export function testWith(...programs: readonly string[]): Declare {
  return declare(test, lackOf(programs));
}

function lackOf(programs: readonly string[]): string {
  const missing = programs.filter((program) => !isInstalled(program));
  return missing.map((program) => `${program} is not installed`).join(', ');
}

function declare(as: Declare, lack: string): Declare {
  return (title, implementation) => {
    if (lack === '') {
      as(title, implementation);
    } else if (process.env['HKNOCK_REQUIRE_NETNS'] === '1') {
      as(title, (t) => {
        t.fail(lack);
      });
    } else {
      test.skip(title, implementation);
      reportSkipped(title, lack);
    }
  };
}

// AVA says how many tests were skipped, but not why: `run.ts` collects these lines and prints them last
function reportSkipped(title: string, lack: string): void {
  const report = process.env['HKNOCK_SKIP_REPORT'];
  const file = relative('.', fileURLToPath(test.meta.file));
  if (report !== undefined) appendFileSync(report, `${lack}\t${file}: ${title}\n`);
}
