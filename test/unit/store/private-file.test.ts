import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import {
  chmod,
  chown,
  mkdir,
  open,
  readdir,
  readFile,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import {
  createPrivateFile,
  MAX_FILE_LENGTH,
  readPrivateFile,
  refuseOpenFolder,
  replacePrivateFile,
} from '../../../src/store/private-file.ts';
import { faultOf, scratch } from './scratch.ts';
import { readTypeScript } from '../../support/typescript.ts';

const run = promisify(execFile);

for (const mode of [0o604, 0o602, 0o601, 0o640, 0o620, 0o610, 0o777]) {
  test(`a secret file of mode 0${mode.toString(8)} is refused, with the command that mends it`, async (t) => {
    const path = join(await scratch(t), 'file');
    await writeFile(path, 'text');
    await chmod(path, mode);
    const fault = await faultOf(() => readPrivateFile(path, { content: 'secret' }));
    t.is(fault.code, 'config');
    t.true(fault.message.includes(path));
    t.true(fault.message.includes(`0${mode.toString(8)}`));
    t.is(fault.hint, `chmod 600 ${path}`);
  });
}

test('a file without secrets may be read by others, but not written', async (t) => {
  const path = join(await scratch(t), 'file');
  await writeFile(path, 'text');
  await chmod(path, 0o644);
  t.is(await readPrivateFile(path, { content: 'trusted' }), 'text');
  for (const mode of [0o664, 0o646]) {
    await chmod(path, mode);
    t.is((await faultOf(() => readPrivateFile(path, { content: 'trusted' }))).code, 'config');
  }
});

test('a link is followed, and what counts is the file at its end', async (t) => {
  const directory = await scratch(t);
  const [path, link] = [join(directory, 'file'), join(directory, 'link')];
  await writeFile(path, 'text', { mode: 0o600 });
  await symlink(path, link);
  t.is(await readPrivateFile(link, { content: 'secret' }), 'text');
  await chmod(path, 0o644);
  t.is((await faultOf(() => readPrivateFile(link, { content: 'secret' }))).code, 'config');
});

(process.geteuid?.() === 0 ? test : test.skip)(
  "another user's file is refused, unless to root",
  async (t) => {
    const directory = await scratch(t);
    await chmod(directory, 0o755);
    const [mine, theirs] = [join(directory, 'mine'), join(directory, 'theirs')];
    for (const path of [mine, theirs]) await writeFile(path, 'text', { mode: 0o600 });
    await run('chown', ['65534', mine]);
    await run('chown', ['65533', theirs]);
    t.is(await readPrivateFile(theirs, { content: 'secret' }), 'text');
    const room = new URL('../../../src/store/private-file.ts', import.meta.url).href;
    // the first file is opened as root, so that only the check of the owner stands in the way
    const script = `
      import fs from 'node:fs/promises';
      import { syncBuiltinESMExports } from 'node:module';
      const open = fs.open;
      fs.open = async (...args) => {
        process.seteuid(0);
        try { return await open(...args); } finally { process.seteuid(65534); }
      };
      syncBuiltinESMExports();
      const { readPrivateFile } = await import(${JSON.stringify(room)});
      process.seteuid(65534);
      for (const path of process.argv.slice(1)) {
        console.log(await readPrivateFile(path, { content: 'secret' }).catch((e) => e.code + ' ' + e.hint));
      }`;
    const loader = [...readTypeScript, '--input-type=module', '-e', script];
    const { stdout } = await run(process.execPath, [...loader, '--', mine, theirs]);
    t.deepEqual(stdout.split('\n'), ['text', `config as root: chown 65534 ${theirs}`, '']);
  },
);

test('what is no plain text file is refused and said to be so', async (t) => {
  const directory = await scratch(t);
  const cases: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ['huge', 'x'.repeat(MAX_FILE_LENGTH + 1), /1048576/],
    ['latin', Uint8Array.of(0x61, 0xe9), /UTF-8/],
    ['nul', 'a = 1\nb = "\0"\n', /nul:2: .*NUL/],
    ['mark', '\uFEFFa = 1', /mark:1: .*byte order mark/],
  ];
  for (const [name, content, expected] of cases) {
    const path = join(directory, name);
    await writeFile(path, content, { mode: 0o600 });
    const fault = await faultOf(() =>
      readPrivateFile(path, { content: 'secret', code: 'bad-input' }),
    );
    t.is(fault.code, 'bad-input');
    t.regex(fault.message, expected);
  }
  await writeFile(join(directory, 'full'), 'x'.repeat(MAX_FILE_LENGTH), { mode: 0o600 });
  await t.notThrowsAsync(readPrivateFile(join(directory, 'full'), { content: 'secret' }));
});

test('a missing file, a folder and a named pipe are refused at once', async (t) => {
  const directory = await scratch(t);
  const pipe = join(directory, 'pipe');
  await run('mkfifo', ['-m', '600', pipe]);
  await mkdir(join(directory, 'folder'), { mode: 0o700 });
  for (const name of ['pipe', 'folder', 'nothing', 'nothing/below']) {
    const fault = await faultOf(() =>
      readPrivateFile(join(directory, name), { content: 'secret' }),
    );
    t.is(fault.code, 'config', name);
  }
  const options = { content: 'secret', missing: 'make it' } as const;
  t.is((await faultOf(() => readPrivateFile(join(directory, 'no'), options))).hint, 'make it');
});

test('a new file has mode 0600, and none is overwritten', async (t) => {
  const path = join(await scratch(t), 'file');
  await createPrivateFile(path, 'first');
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.is((await faultOf(() => createPrivateFile(path, 'second'))).code, 'usage');
  t.is(await readFile(path, 'utf8'), 'first');
  t.is((await faultOf(() => createPrivateFile(`${path}/below`, 'x'))).code, 'host');
});

test('a replaced file is another file, whole, of mode 0600, and a link to it stays', async (t) => {
  const directory = await scratch(t);
  const [path, link] = [join(directory, 'file'), join(directory, 'link')];
  await createPrivateFile(path, 'first');
  await symlink(path, link);
  // whoever has the old file open sees its old text to the end
  const before = await open(path, constants.O_RDONLY);
  t.teardown(() => before.close());
  await replacePrivateFile(link, 'second');
  t.is(await before.readFile('utf8'), 'first');
  t.is(await readFile(link, 'utf8'), 'second');
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.deepEqual((await readdir(directory)).sort(), ['file', 'link']);
});

test('a replacement that fails leaves the old file and nothing else', async (t) => {
  const directory = await scratch(t);
  // a folder cannot be replaced by a file: the last step fails
  await mkdir(join(directory, 'file', 'below'), { recursive: true });
  t.is((await faultOf(() => replacePrivateFile(join(directory, 'file'), 'x'))).code, 'host');
  t.deepEqual(await readdir(directory), ['file']);
});

test('a folder that others can write to is refused', async (t) => {
  const directory = await scratch(t);
  await t.notThrowsAsync(refuseOpenFolder(directory, ''));
  await chmod(directory, 0o770);
  t.is((await faultOf(() => refuseOpenFolder(directory, ''))).hint, `chmod go-w ${directory}`);
  t.is((await faultOf(() => refuseOpenFolder(`${directory}/no`, 'make it'))).hint, 'make it');
});

const rootTest = process.geteuid?.() === 0 ? test : test.skip;

rootTest(
  "what root makes in another user's folder, or puts in place of its file, is that user's",
  async (t) => {
    const directory = await scratch(t);
    const path = join(directory, 'file');
    await chown(directory, 1234, 1235);
    await createPrivateFile(path, 'old', { forFolderOwner: true });
    t.like(await stat(path), { uid: 1234, gid: 1235 });
    await replacePrivateFile(path, 'new');
    t.like(await stat(path), { uid: 1234, gid: 1235 });
    await createPrivateFile(join(directory, 'own'), 'text');
    t.is((await stat(join(directory, 'own'))).uid, 0);
  },
);

(process.geteuid?.() === 0 ? test : test.skip)(
  "another user's folder is refused, unless it is root's or to root",
  async (t) => {
    const directory = await scratch(t);
    await chmod(directory, 0o755);
    const folders = ['mine', 'theirs', 'roots'].map((name) => join(directory, name));
    for (const [at, uid] of [65_534, 65_533, 0].entries()) {
      await mkdir(folders[at] ?? '', { mode: 0o755 });
      await run('chown', [String(uid), folders[at] ?? '']);
      await t.notThrowsAsync(refuseOpenFolder(folders[at] ?? '', ''));
    }
    const room = new URL('../../../src/store/private-file.ts', import.meta.url).href;
    const script = `
      const { refuseOpenFolder } = await import(${JSON.stringify(room)});
      process.seteuid(65534);
      for (const path of process.argv.slice(1))
        console.log(await refuseOpenFolder(path, '').then(() => 'trusted', ({ code }) => code));`;
    const loader = [...readTypeScript, '--input-type=module', '-e', script];
    const { stdout } = await run(process.execPath, [...loader, '--', ...folders]);
    t.deepEqual(stdout.trim().split('\n'), ['trusted', 'config', 'trusted']);
  },
);
