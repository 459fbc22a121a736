import { execFile } from 'node:child_process';
import { chmod, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { formatKey } from '../../../src/store/key-text.ts';
import { profileDirectory, ProfileStore } from '../../../src/store/profile-store.ts';
import { profile } from './samples.ts';
import { faultOf, scratch } from './scratch.ts';
import { readTypeScript } from '../../support/typescript.ts';

const run = promisify(execFile);

test('profiles are kept in a file of mode 0600 in a folder of mode 0700', async (t) => {
  const directory = join(await scratch(t), 'config', 'hknock');
  const store = new ProfileStore(directory);
  t.deepEqual(await store.list(), []);
  const [home, work] = [profile({ name: 'home' }), profile({ name: 'work' })];
  t.is(await store.save(home), 'added');
  t.is(await store.save(work), 'added');
  t.deepEqual(await new ProfileStore(directory).list(), [home, work]);
  t.is((await stat(store.path)).mode & 0o777, 0o600);
  t.is((await stat(directory)).mode & 0o777, 0o700);
});

test('of profiles that are kept at once none is lost', async (t) => {
  const store = new ProfileStore(await scratch(t));
  const names = ['a', 'b', 'c', 'd'];
  await Promise.all(names.map((name) => store.save(profile({ name }))));
  t.deepEqual((await store.list()).map(({ name }) => name).sort(), names);
});

test('a profile is found by its name first, then by a host or address that it lists', async (t) => {
  const store = new ProfileStore(await scratch(t));
  const home = profile({ name: 'home', hosts: ['a.example', '2001:db8::1'] });
  const work = profile({ name: 'a.example', hosts: ['b.example', '192.0.2.1'] });
  await store.save(home);
  await store.save(work);
  t.deepEqual(await store.find('home'), home);
  t.deepEqual(await store.find('a.example'), work);
  t.deepEqual(await store.find('B.Example.'), work);
  t.deepEqual(await store.find('2001:DB8:0::1'), home);
  t.deepEqual(await store.find('::ffff:192.0.2.1'), work);
  for (const host of ['c.example', '', '192.0.2.2', 'HOME', '__proto__']) {
    t.is((await faultOf(() => store.find(host))).code, 'config', host);
  }
});

test('a host that several profiles list is refused with their names', async (t) => {
  const store = new ProfileStore(await scratch(t));
  await store.save(profile({ name: 'home', hosts: ['a.example'] }));
  await store.save(profile({ name: 'work', hosts: ['b.example', 'a.example'] }));
  await store.save(profile({ name: 'else', hosts: ['b.example'] }));
  const fault = await faultOf(() => store.find('a.example'));
  t.is(fault.code, 'config');
  t.true(fault.message.includes('home') && fault.message.includes('work'));
  t.false(fault.message.includes('else'));
});

test('another profile of the same name is only overwritten on demand', async (t) => {
  const store = new ProfileStore(await scratch(t));
  const [first, other, second] = [profile(), profile({ name: 'other' }), profile()];
  await store.save(first);
  await store.save(other);
  t.is(await store.save(first), 'unchanged');
  t.is((await faultOf(() => store.save(second))).code, 'usage');
  t.deepEqual(await store.list(), [first, other]);
  t.is(await store.save(second, { replace: true }), 'replaced');
  t.deepEqual(await store.list(), [second, other]);
});

test('names that mean something to JavaScript are names like others', async (t) => {
  const store = new ProfileStore(await scratch(t));
  for (const name of ['__proto__', 'constructor', 'toString', 'a.b.c']) {
    await store.save(profile({ name }));
    t.is((await store.find(name)).name, name);
  }
  t.is((await store.list()).length, 4);
});

test('a file that others can read is refused for reading and for writing', async (t) => {
  const store = new ProfileStore(await scratch(t));
  await store.save(profile());
  const before = await readFile(store.path, 'utf8');
  await chmod(store.path, 0o644);
  for (const call of [() => store.list(), () => store.save(profile({ name: 'x' }))]) {
    const fault = await faultOf(call);
    t.is(fault.code, 'config');
    t.is(fault.hint, `chmod 600 ${store.path}`);
  }
  t.is(await readFile(store.path, 'utf8'), before);
});

test('a file that was spoilt is refused without a word of what it holds', async (t) => {
  const store = new ProfileStore(await scratch(t));
  const sample = profile();
  await store.save(sample);
  const good = await readFile(store.path, 'utf8');
  const secret = formatKey(sample.secret);
  for (const content of [
    '',
    'null',
    '[]x',
    `${secret}${good}`,
    good.slice(0, -3),
    good.replace(secret, `${secret}A`),
    good.replace('"tag"', '"gat"'),
    good.replace('62202', '"62202"'),
    '{"profiles":{}}',
    '{"profiles":[null]}',
    '{"profiles":[[]]}',
    '{"profiles":[{"__proto__":{"name":"x"}}]}',
  ]) {
    await writeFile(store.path, content);
    const fault = await faultOf(() => store.list());
    t.is(fault.code, 'config', content);
    t.true(fault.message.includes(store.path));
    t.false(String(fault.stack).includes(secret.slice(0, 8)), fault.message);
    t.is((await faultOf(() => store.save(sample))).code, 'config');
    t.is(await readFile(store.path, 'utf8'), content);
  }
});

test('a file that cannot be written is a fault of the host, and one that cannot be read of the configuration', async (t) => {
  const directory = await scratch(t);
  await writeFile(join(directory, 'file'), '');
  const under = new ProfileStore(join(directory, 'file', 'hknock'));
  t.is((await faultOf(() => under.list())).code, 'config');
  await symlink(join(directory, 'nowhere'), join(directory, 'link'));
  const dangling = new ProfileStore(join(directory, 'link'));
  t.is((await faultOf(() => dangling.save(profile()))).code, 'host');
});

test('the folder is the one that the package conf takes', async (t) => {
  const home = await scratch(t);
  const script = `
    import Conf from 'conf';
    console.log(new Conf({ projectName: 'hknock', projectSuffix: '' }).path);`;
  for (const env of [{ HOME: home }, { HOME: home, XDG_CONFIG_HOME: join(home, 'xdg') }]) {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { env });
    t.is(join(profileDirectory(env), 'config.json'), stdout.trim());
  }
});

test('the folder follows the conventions of the system', (t) => {
  const home = '/home/alice';
  const at = (env: Record<string, string>, platform: NodeJS.Platform) =>
    profileDirectory(env, platform);
  t.is(at({ HOME: home }, 'linux'), '/home/alice/.config/hknock');
  t.is(at({ HOME: home, XDG_CONFIG_HOME: '' }, 'linux'), '/home/alice/.config/hknock');
  t.is(at({ HOME: home, XDG_CONFIG_HOME: 'relative' }, 'linux'), '/home/alice/.config/hknock');
  t.is(at({ XDG_CONFIG_HOME: '/xdg' }, 'linux'), '/xdg/hknock');
  t.is(at({ HOME: home }, 'darwin'), '/home/alice/Library/Preferences/hknock');
  t.is(at({}, 'linux'), join(homedir(), '.config', 'hknock'));
});

test('to read a profile neither conf nor the readers of TOML are loaded', async (t) => {
  const directory = await scratch(t);
  await new ProfileStore(directory).save(profile({ name: 'home' }));
  const room = new URL('../../../src/store/profile-store.ts', import.meta.url).href;
  const hooks = `
    const banned = ['conf', 'zod', 'toml-eslint-parser'];
    export const resolve = (name, context, next) => {
      if (banned.includes(name)) throw new Error('loaded ' + name);
      return next(name, context);
    };`;
  const script = `
    import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));
    const { ProfileStore } = await import(${JSON.stringify(room)});
    const store = new ProfileStore(process.argv[1]);
    const home = await store.find('home');
    console.log(home.name, await store.save({ ...home, name: 'x' }).catch((error) => error.cause.message));`;
  const loader = [...readTypeScript, '--input-type=module', '-e', script];
  const { stdout } = await run(process.execPath, [...loader, directory]);
  // the second half shows that the trap works
  t.is(stdout, 'home loaded conf\n');
});
