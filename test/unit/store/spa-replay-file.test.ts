import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { SpaReplayFile } from '../../../src/store/spa-replay-file.ts';
import type { UnixMs } from '../../../src/units/time.ts';
import { faultOf, scratch } from './scratch.ts';

const packet = (digit: string, sentAt: number) => ({
  digest: digit.repeat(64),
  sentAt: sentAt as UnixMs,
});

test('what was written and added is read again, also after a crash in the middle of a line', async (t) => {
  const directory = await scratch(t);
  const path = join(directory, 'fwknop.replay');
  const { file, state } = await SpaReplayFile.open(directory);
  t.deepEqual(state, { packets: [], forgottenUpTo: 0 as UnixMs });
  await file.write({ packets: [packet('a', 1)], forgottenUpTo: 7 as UnixMs });
  await Promise.all([file.append(packet('b', 2)), file.append(packet('c', 3))]);
  await file.close();
  t.is((await stat(path)).mode & 0o777, 0o600);
  await appendFile(path, '4 dddd');

  const { file: again, state: left } = await SpaReplayFile.open(directory);
  const kept = {
    packets: [packet('a', 1), packet('b', 2), packet('c', 3)],
    forgottenUpTo: 7 as UnixMs,
  };
  t.deepEqual(left, kept);
  await again.write({ ...kept, packets: kept.packets.slice(1) });
  await again.append(packet('e', 5));
  await again.close();
  const { file: third, state: last } = await SpaReplayFile.open(directory);
  t.deepEqual(last.packets, [packet('b', 2), packet('c', 3), packet('e', 5)]);
  await third.close();
});

test('a damaged file is a fault, and no record that is empty', async (t) => {
  const directory = await scratch(t);
  const path = join(directory, 'fwknop.replay');
  for (const text of ['x\n', '\n', '', '0\n1 zz\n', `0\n${'a'.repeat(64)}\n`]) {
    await writeFile(path, text, { mode: 0o600 });
    t.is((await faultOf(() => SpaReplayFile.open(directory))).code, 'config', text);
  }
  t.is(await readFile(path, 'utf8'), `0\n${'a'.repeat(64)}\n`);
});
