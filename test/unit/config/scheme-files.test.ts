import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import test from 'ava';
import { decodeScheme, readSchemeFile, schemePath } from '../../../src/config/scheme-files.ts';
import { loadServerFolder } from '../../../src/config/server-folder.ts';
import { Folder } from '../server/folder.ts';
import { faultOf } from '../store/scratch.ts';

const fixed = `kind = "fixed"
peer = "alice"
service = "ssh"
open = ["tcp/7103", "udp/7101", "tcp/7102"]
`;

const decode = (text: string) =>
  decodeScheme(text, { file: '/srv/schemes/door.toml', code: 'config', content: 'secret' });

test('a scheme is called as its file', (t) => {
  t.like(decode(fixed), { name: 'door', kind: 'fixed', peer: 'alice' });
  t.is(decode(fixed).watched.length, 3);
});

for (const [what, text, key] of [
  ['no kind', 'peer = "alice"', 'kind'],
  ['a kind that nobody knows', 'kind = "constructor"\npeer = "alice"', 'kind'],
  ['no peer', fixed.replace('peer = "alice"\n', ''), 'peer'],
  ['two knocks', fixed.replace('"tcp/7103", ', ''), 'open'],
  ['a key that nobody knows', `${fixed}closed = []`, 'closed'],
  [
    'a sequence that ends another',
    `${fixed}close = ["tcp/7", "tcp/7103", "udp/7101", "tcp/7102"]`,
    'close',
  ],
  ['a ban without an end', `${fixed}ban_time = "8761h"`, 'ban_time'],
] as const) {
  test(`${what}: refused, with its key and without the ports`, async (t) => {
    const fault = await faultOf(() => decode(text));
    t.is(fault.code, 'config');
    t.regex(fault.message, new RegExp(`door.toml:\\d+: ${key}`));
    t.notRegex(fault.message, /710\d"/);
  });
}

test('the folder’s schemes that are on are read, and the others are not looked at', async (t) => {
  const folder = await Folder.create(t);
  await write(folder.path, 'door', fixed);
  await write(folder.path, 'off', 'nonsense');
  t.deepEqual((await loadServerFolder(folder.path)).schemes, []);
  await folder.edit(/schemes = \[\]/, 'schemes = ["totp", "door"]');
  const { schemes, config } = await loadServerFolder(folder.path);
  t.deepEqual(
    schemes.map(({ name }) => name),
    ['door'],
  );
  t.true(config.sequence.hasTotp);
});

test('a scheme without its file, or whose file others can read, ends the start', async (t) => {
  const folder = await Folder.create(t);
  await folder.edit(/schemes = \[\]/, 'schemes = ["door"]');
  t.is((await faultOf(() => loadServerFolder(folder.path))).code, 'config');
  await write(folder.path, 'door', fixed);
  await chmod(schemePath(folder.path, 'door'), 0o644);
  t.is((await faultOf(() => loadServerFolder(folder.path))).code, 'config');
});

test('a scheme cannot shut a port that a service needs open', async (t) => {
  const folder = await Folder.create(t);
  await write(folder.path, 'door', fixed.replace('tcp/7103', 'tcp/22'));
  await folder.edit(/schemes = \[\]/, 'schemes = ["door"]');
  const fault = await faultOf(() => loadServerFolder(folder.path));
  t.is(fault.code, 'config');
  t.regex(fault.message, /tcp\/22/);
});

test('a client reads the same file', async (t) => {
  const folder = await Folder.create(t);
  const path = await write(folder.path, 'door', fixed);
  const scheme = await readSchemeFile(path, { code: 'bad-input' });
  t.deepEqual(
    scheme.hits({ action: 'open' }).map(({ protocol, port }) => `${protocol}/${String(port)}`),
    ['tcp/7103', 'udp/7101', 'tcp/7102'],
  );
});

async function write(directory: string, name: string, text: string): Promise<string> {
  const path = schemePath(directory, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode: 0o600 });
  return path;
}
