import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { parseEndpoint } from '../../../src/config/endpoint.ts';
import { initServerFolder } from '../../../src/config/init.ts';
import { loadServerFolder } from '../../../src/config/server-folder.ts';
import type { Entropy } from '../../../src/host/entropy.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { faultOf, scratch } from '../store/scratch.ts';

const entropy = new FakeEntropy(13);

test('a new folder is complete, private and ready to be loaded', async (t) => {
  const directory = join(await scratch(t), 'etc', 'hknock');
  await initServerFolder(directory, { entropy });
  const mode = async (name: string) => (await stat(join(directory, name))).mode & 0o777;
  t.deepEqual((await readdir(directory)).sort(), [
    'hknock.toml',
    'peers',
    'responder.key',
    'schemes',
  ]);
  t.deepEqual(
    await Promise.all(['.', 'peers', 'hknock.toml', 'responder.key'].map(mode)),
    [0o700, 0o700, 0o600, 0o600],
  );
  const { config, responderId, peers } = await loadServerFolder(directory);
  t.deepEqual(config.listen, ['0.0.0.0:62202', '[::]:62202'].map(parseEndpoint));
  t.is(responderId.length, 16);
  t.deepEqual(peers, []);
});

test('the addresses that are asked for are listened on', async (t) => {
  const directory = await scratch(t);
  const listen = [parseEndpoint('[2001:db8::1]:7')];
  await initServerFolder(directory, { entropy, listen });
  t.deepEqual((await loadServerFolder(directory)).config.listen, listen);
});

for (const name of ['hknock.toml', 'responder.key', 'peers', 'schemes']) {
  test(`nothing is overwritten or added where there is a ${name}`, async (t) => {
    const directory = await scratch(t);
    await writeFile(join(directory, name), 'mine');
    t.is((await faultOf(() => initServerFolder(directory, { entropy }))).code, 'usage');
    t.deepEqual(await readdir(directory), [name]);
    t.is(await readFile(join(directory, name), 'utf8'), 'mine');
  });
}

test('a dangling link is something too', async (t) => {
  const directory = await scratch(t);
  await symlink(join(directory, 'elsewhere'), join(directory, 'hknock.toml'));
  t.is((await faultOf(() => initServerFolder(directory, { entropy }))).code, 'usage');
  t.deepEqual(await readdir(directory), ['hknock.toml']);
});

test('a folder with other things in it keeps them', async (t) => {
  const directory = await scratch(t);
  await mkdir(join(directory, 'ca'));
  await initServerFolder(directory, { entropy });
  t.deepEqual((await readdir(directory)).sort(), [
    'ca',
    'hknock.toml',
    'peers',
    'responder.key',
    'schemes',
  ]);
});

test('when it fails half-way nothing is left, not even the folder', async (t) => {
  const parent = await scratch(t);
  const directory = join(parent, 'server');
  const broken: Entropy = {
    bytes: () => {
      throw new Error('no entropy');
    },
  };
  t.is((await faultOf(() => initServerFolder(directory, { entropy: broken }))).code, 'host');
  t.deepEqual(await readdir(parent), []);
  // and what was there before stays
  await mkdir(directory);
  t.is((await faultOf(() => initServerFolder(directory, { entropy: broken }))).code, 'host');
  t.deepEqual(await readdir(directory), []);
});

test('a folder with a path too long for the control socket is refused before it is made', async (t) => {
  const parent = await scratch(t);
  const directory = join(parent, 'x'.repeat(100));
  t.is((await faultOf(() => initServerFolder(directory, { entropy }))).code, 'config');
  t.deepEqual(await readdir(parent), []);
});
