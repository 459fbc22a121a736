import { appendFile, chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Journal } from '../../../src/store/journal.ts';
import { faultOf, scratch } from './scratch.ts';

const LONG = { maxLength: 1000 };

test('lines are there for the next to open it, also when nobody closed it', async (t) => {
  const path = join(await scratch(t), 'lines');
  const { journal, lines, isNew } = await Journal.open(path, { ...LONG, onDisk: true });
  t.deepEqual(lines, []);
  t.true(isNew);
  await Promise.all(['one', 'two', 'three'].map((line) => journal.append(line)));
  t.is((await stat(path)).mode & 0o777, 0o600);
  const again = await Journal.open(path, LONG);
  t.deepEqual(again.lines, ['one', 'two', 'three']);
  t.false(again.isNew);
  await again.journal.close();
  await journal.close();
});

test('replaced lines are gone, and later ones follow', async (t) => {
  const path = join(await scratch(t), 'lines');
  const { journal } = await Journal.open(path, LONG);
  const changes = [
    journal.append('one'),
    journal.replace(['two', 'three']),
    journal.append('four'),
  ];
  await Promise.all(changes);
  await journal.close();
  t.is(await readFile(path, 'utf8'), 'two\nthree\nfour\n');
});

test('a last line that was cut off is passed over', async (t) => {
  const path = join(await scratch(t), 'lines');
  const { journal } = await Journal.open(path, LONG);
  await journal.append('whole');
  await journal.close();
  await appendFile(path, 'hal');
  const again = await Journal.open(path, LONG);
  t.deepEqual(again.lines, ['whole']);
  await again.journal.close();
});

test('a file that others may read, or that is too long, is refused', async (t) => {
  const path = join(await scratch(t), 'lines');
  const { journal } = await Journal.open(path, LONG);
  await journal.append('x'.repeat(50));
  await journal.close();
  t.is((await faultOf(() => Journal.open(path, { maxLength: 50 }))).code, 'config');
  await chmod(path, 0o644);
  t.is((await faultOf(() => Journal.open(path, LONG))).code, 'config');
});

test('a folder that is not there is said to be the host’s fault', async (t) => {
  const path = join(await scratch(t), 'nowhere', 'lines');
  t.is((await faultOf(() => Journal.open(path, LONG))).code, 'host');
});
