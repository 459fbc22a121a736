import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { HknockError } from '../../../src/errors/hknock-error.ts';

/** A folder of the test's own, mode 0700, gone when the test ends. */
export async function scratch(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hknock-unit-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** The fault that a call ends in; the test fails when it ends in none. */
export async function faultOf(call: () => unknown): Promise<HknockError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof HknockError) return error;
    throw error;
  }
  throw new Error('expected an HknockError, but nothing was thrown');
}
