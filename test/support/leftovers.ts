import { readFileSync, readdirSync } from 'node:fs';
import { sweepNamespaces } from '../../src/lab/reaper.ts';

/**
 * Ends what a test run left behind, and names it: namespaces under the run's prefix, and processes that inherited
 * HKNOCK_TEST_RUN from it, wherever they run.
 */
export async function endLeftovers(run: string): Promise<readonly string[]> {
  const processes = processesOf(run);
  const namespaces = await sweepNamespaces(run);
  for (const { pid } of processes) kill(pid);
  return [
    ...namespaces.map((name) => `namespace ${name}`),
    ...processes.map(({ pid, command }) => `process ${String(pid)}: ${command}`),
  ];
}

function processesOf(run: string): readonly { pid: number; command: string }[] {
  return processIds()
    .filter((pid) => read(pid, 'environ').includes(`HKNOCK_TEST_RUN=${run}`))
    .map((pid) => ({ pid, command: read(pid, 'cmdline').join(' ') }));
}

function processIds(): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return []; // not Linux
  }
}

function read(pid: number, file: string): readonly string[] {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, 'utf8').split('\0');
  } catch {
    return []; // it has ended, or is somebody else's
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended in the meantime
  }
}
