import { readFile, stat, writeFile } from 'node:fs/promises';
import test from 'ava';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { createResponderKey, readResponderKey } from '../../../src/store/responder-key.ts';
import { faultOf, scratch } from './scratch.ts';

test('an identity is read back as it was made, from a file of mode 0600', async (t) => {
  const directory = await scratch(t);
  const path = await createResponderKey(directory, new FakeEntropy(3));
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.deepEqual(await readResponderKey(directory), new FakeEntropy(3).bytes(16));
});

test('an identity is never made twice', async (t) => {
  const directory = await scratch(t);
  const path = await createResponderKey(directory, new FakeEntropy(3));
  const before = await readFile(path, 'utf8');
  t.is((await faultOf(() => createResponderKey(directory, new FakeEntropy(4)))).code, 'usage');
  t.is(await readFile(path, 'utf8'), before);
});

test('a file that holds anything else is refused with its line, and without what it holds', async (t) => {
  const directory = await scratch(t);
  t.is((await faultOf(() => readResponderKey(directory))).code, 'config');
  const key = 'AAAAAAAAAAAAAAAAAAAAAA';
  for (const [content, line] of [
    ['', 1],
    ['# only a comment\n', 2],
    [`# x\n${key}A\n`, 2],
    [`${key.slice(1)}B\n`, 1],
    [`${key}\n\n${key}\n`, 3],
  ] as const) {
    await writeFile(`${directory}/responder.key`, content, { mode: 0o600 });
    const fault = await faultOf(() => readResponderKey(directory));
    t.is(fault.code, 'config');
    t.true(fault.message.includes(`responder.key:${String(line)}: `), fault.message);
    t.notRegex(fault.message, /AAAA/);
  }
});
