import { spawnSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { whileAlone } from '../../../src/store/folder-lock.ts';
import { faultOf, scratch } from './scratch.ts';

/** Adds one to the number in a file, slowly. */
async function count(file: string): Promise<void> {
  const before = Number(await readFile(file, 'utf8'));
  await setImmediate();
  await writeFile(file, String(before + 1));
}

/** Counts ten times at once, under the lock. */
async function countToTen(directory: string): Promise<string> {
  const file = join(directory, 'count');
  await writeFile(file, '0');
  const turns = Array.from({ length: 10 }, () => whileAlone(directory, () => count(file)));
  await Promise.all(turns);
  return readFile(file, 'utf8');
}

test('of changes that come together none is lost, and no lock stays', async (t) => {
  const directory = await scratch(t);
  t.is(await countToTen(directory), '10');
  t.deepEqual(await readdir(directory), ['count']);
});

test('the lock of a process that is gone holds nobody up, and is broken but once', async (t) => {
  const directory = await scratch(t);
  const { pid } = spawnSync('true');
  await writeFile(join(directory, '.lock'), String(pid));
  t.is(await countToTen(directory), '10');
  t.deepEqual(await readdir(directory), ['count']);
});

test('work that fails gives the lock back', async (t) => {
  const directory = await scratch(t);
  await t.throwsAsync(whileAlone(directory, () => Promise.reject(new Error('no'))));
  t.is(await whileAlone(directory, () => Promise.resolve(7)), 7);
});

test('a lock that cannot be made is a fault of the host', async (t) => {
  const nowhere = join(await scratch(t), 'nowhere');
  t.is((await faultOf(() => whileAlone(nowhere, () => Promise.resolve()))).code, 'host');
});
