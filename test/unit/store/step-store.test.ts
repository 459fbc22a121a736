import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { StepStore } from '../../../src/store/step-store.ts';
import { faultOf, scratch } from './scratch.ts';

const [alice, bob] = ['00112233445566aa', '00112233445566bb'];

test('a step counts once, and so does every step before it', async (t) => {
  const steps = await StepStore.open(await scratch(t));
  t.true(await steps.use(alice, 60));
  t.false(await steps.use(alice, 60));
  t.false(await steps.use(alice, 59));
  t.true(await steps.use(alice, 61));
  t.true(await steps.use(bob, 60), 'each credential has its own');
});

test('also after a restart', async (t) => {
  const folder = await scratch(t);
  const before = await StepStore.open(folder);
  await before.use(alice, 60);
  await before.use(bob, 70);
  const after = await StepStore.open(folder);
  t.is(after.latest, 70);
  t.false(await after.use(alice, 60));
  t.true(await after.use(alice, 61));
});

test('a step that comes twice at once counts once', async (t) => {
  const steps = await StepStore.open(await scratch(t));
  t.deepEqual(await Promise.all([steps.use(alice, 60), steps.use(alice, 60)]), [true, false]);
});

test('steps that are used at once are all on disk', async (t) => {
  const folder = await scratch(t);
  const steps = await StepStore.open(folder);
  const names = Array.from({ length: 20 }, (_, n) => n.toString(16).padStart(16, '0'));
  await Promise.all(names.map((name) => steps.use(name, 60)));
  const text = await readFile(join(folder, 'sequence.steps'), 'utf8');
  for (const name of names) t.true(text.includes(`\n${name} 60\n`));
});

test('what cannot be written is not used up, and counts later', async (t) => {
  const folder = await scratch(t);
  const steps = await StepStore.open(folder);
  const path = join(folder, 'sequence.steps');
  await steps.use(alice, 60);
  const text = await readFile(path, 'utf8');
  await rm(path);
  t.is((await faultOf(() => steps.use(alice, 61))).code, 'host');
  await writeFile(path, text, { mode: 0o600 });
  t.true(await steps.use(alice, 61));
  t.false(await steps.use(alice, 61));
});

test('credentials that are gone are forgotten', async (t) => {
  const folder = await scratch(t);
  const steps = await StepStore.open(folder);
  await steps.use(alice, 60);
  steps.keepOnly(new Set([bob]));
  await steps.use(bob, 60);
  t.notRegex(await readFile(join(folder, 'sequence.steps'), 'utf8'), new RegExp(alice));
});

for (const [name, text] of [
  ['no step', `${alice}\n`],
  ['no credential', 'alice 60\n'],
  ['a step below zero', `${alice} -1\n`],
  ['one credential twice', `${alice} 60\n${alice} 59\n`],
  ['half a line', `${alice} 60\n001122`],
] as const) {
  test(`a file with ${name} is told with its line, and nothing opens by it`, async (t) => {
    const folder = await scratch(t);
    const path = join(folder, 'sequence.steps');
    await writeFile(path, text, { mode: 0o600 });
    const fault = await faultOf(() => StepStore.open(folder));
    t.is(fault.code, 'config');
    t.regex(fault.message, /sequence\.steps:[12]: /);
  });
}

test('a file that others may write to is refused', async (t) => {
  const folder = await scratch(t);
  await StepStore.open(folder);
  await chmod(join(folder, 'sequence.steps'), 0o666);
  t.is((await faultOf(() => StepStore.open(folder))).code, 'config');
});
