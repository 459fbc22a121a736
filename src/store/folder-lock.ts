import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';
import { writeFault } from './private-file.ts';

/** Whoever holds a lock reads a file and writes it: milliseconds. */
const WAIT_MS = 10_000;
const LOOK_EVERY_MS = 20;

/**
 * Does what reads and then writes in a folder while nobody else does, so that no change is lost. The lock is a file
 * `.lock` that holds the number of the process; one whose process is gone is taken away.
 * @throws {HknockError} `host` when it cannot be had; whatever the work throws
 */
export async function whileAlone<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const lock = join(directory, '.lock');
  await acquire(lock, Date.now() + WAIT_MS);
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function acquire(lock: string, untilUnixMs: number): Promise<void> {
  while (!(await create(lock))) {
    await breakIfStale(lock);
    if (Date.now() > untilUnixMs) {
      throw new HknockError('host', `another hknock holds ${lock}`, {
        hint: `when none runs any more: rm -f ${lock} ${lock}.break`,
      });
    }
    await setTimeout(LOOK_EVERY_MS);
  }
}

/** False when there is one already. */
async function create(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    // made, and not written: the disk is full
    await rm(lock, { force: true });
    throw writeFault(lock, error);
  }
}

// The second lock, and the second look under it: of two that find the same stale lock, the slower one would
// otherwise take away the fresh lock of the faster one.
async function breakIfStale(lock: string): Promise<void> {
  if (!(await isStale(lock)) || !(await create(`${lock}.break`))) return;
  try {
    if (await isStale(lock)) await rm(lock, { force: true });
  } finally {
    await rm(`${lock}.break`, { force: true });
  }
}

async function isStale(lock: string): Promise<boolean> {
  const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
  // empty between its making and its writing
  if (!Number.isSafeInteger(owner) || owner <= 0) return false;
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return systemCode(error) === 'ESRCH';
  }
}
