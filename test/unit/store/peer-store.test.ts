import {
  appendFile,
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { HknockError } from '../../../src/errors/hknock-error.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { formatTag } from '../../../src/store/key-text.ts';
import { PeerStore } from '../../../src/store/peer-store.ts';
import { parsePeerName, parseServiceName } from '../../../src/units/names.ts';
import { peerRequest } from './samples.ts';
import { faultOf, scratch } from './scratch.ts';

const entropy = new FakeEntropy(11);
const [alice, bob] = ['alice', 'bob'].map(parsePeerName) as [never, never];

async function makeStore(t: ExecutionContext): Promise<{ store: PeerStore; folder: string }> {
  const server = await scratch(t);
  const folder = join(server, 'peers');
  await mkdir(folder, { mode: 0o700 });
  return { store: new PeerStore(server), folder };
}

test('peers are kept, in files of mode 0600, and listed by name', async (t) => {
  const { store, folder } = await makeStore(t);
  t.deepEqual(await store.list(), []);
  const second = await store.add(peerRequest('bob'), entropy);
  const first = await store.add(peerRequest('alice', { admission: 'address' }), entropy);
  t.deepEqual(await store.list(), [first, second]);
  t.deepEqual(await store.get(alice), first);
  t.is((await stat(join(folder, 'alice.toml'))).mode & 0o777, 0o600);
  t.notDeepEqual(first.tag, second.tag);
  t.notDeepEqual(first.secret, second.secret);
});

test('a peer is not made twice', async (t) => {
  const { store } = await makeStore(t);
  const first = await store.add(peerRequest('alice'), entropy);
  t.is((await faultOf(() => store.add(peerRequest('alice'), entropy))).code, 'usage');
  t.deepEqual(await store.list(), [first]);
});

test('a revoked peer leaves nothing behind, even when its file was beyond reading', async (t) => {
  const { store, folder } = await makeStore(t);
  await store.add(peerRequest('alice'), entropy);
  const left = await store.add(peerRequest('bob'), entropy);
  await writeFile(join(folder, 'alice.toml'), 'no TOML');
  await store.revoke(alice);
  t.deepEqual(await readdir(folder), ['bob.toml']);
  t.deepEqual(await store.list(), [left]);
});

test('new keys do not bring back a peer who is revoked meanwhile', async (t) => {
  const { store, folder } = await makeStore(t);
  await store.add(peerRequest('alice'), entropy);
  let revoked: Promise<void> = Promise.resolve();
  await store.rotate(alice, entropy, async () => {
    revoked = store.revoke(alice);
    await setTimeout(50);
  });
  await revoked;
  t.deepEqual(await readdir(folder), []);
});

test('a peer whose new keys could not be handed over keeps its old ones', async (t) => {
  const { store } = await makeStore(t);
  const before = await store.add(peerRequest('alice'), entropy);
  const refuse = (): Promise<void> => Promise.reject(new HknockError('host', 'no room'));
  t.is((await faultOf(() => store.rotate(alice, entropy, refuse))).code, 'host');
  t.deepEqual(await store.get(alice), before);
});

test('a rotated peer has new keys and all else as it was', async (t) => {
  const { store, folder } = await makeStore(t);
  const before = await store.add(peerRequest('alice', { cutOnRevoke: false }), entropy);
  const path = join(folder, 'alice.toml');
  await appendFile(path, '# a note\n');
  const after = await store.rotate(alice, entropy);
  t.notDeepEqual(after.tag, before.tag);
  t.notDeepEqual(after.secret, before.secret);
  t.deepEqual({ ...after, tag: before.tag, secret: before.secret }, before);
  t.deepEqual(await store.list(), [after]);
  t.true((await readFile(path, 'utf8')).endsWith('# a note\n'));
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.deepEqual(await readdir(folder), ['alice.toml']);
});

test('an unknown peer is a fault of the caller', async (t) => {
  const { store } = await makeStore(t);
  const calls = [() => store.get(bob), () => store.revoke(bob), () => store.rotate(bob, entropy)];
  for (const call of calls) t.is((await faultOf(call)).code, 'usage');
});

test('two files with one tag are refused by name, and rotating one mends it', async (t) => {
  const { store, folder } = await makeStore(t);
  const { tag } = await store.add(peerRequest('alice'), entropy);
  await copyFile(join(folder, 'alice.toml'), join(folder, 'bob.toml'));
  const fault = await faultOf(() => store.list());
  t.is(fault.code, 'config');
  t.true(['alice.toml', 'bob.toml'].every((name) => fault.message.includes(join(folder, name))));
  t.false(fault.message.includes(formatTag(tag)));
  await store.rotate(bob, entropy);
  t.is((await store.list()).length, 2);
});

test('a file that others can read, or a folder that they can write to, is refused', async (t) => {
  const { store, folder } = await makeStore(t);
  await store.add(peerRequest('alice'), entropy);
  await chmod(folder, 0o777);
  t.is((await faultOf(() => store.list())).code, 'config');
  t.is((await faultOf(() => store.get(alice))).code, 'config');
  await chmod(folder, 0o755);
  t.is((await store.list()).length, 1);
  await chmod(join(folder, 'alice.toml'), 0o640);
  t.is((await faultOf(() => store.list())).hint, `chmod 600 ${join(folder, 'alice.toml')}`);
});

test('other files are none of ours, but one with a wrong name is told', async (t) => {
  const { store, folder } = await makeStore(t);
  for (const name of ['.new-1-1', '.alice.toml.swp', '.hidden.toml', 'alice.toml~', 'README']) {
    await writeFile(join(folder, name), 'nothing');
  }
  t.deepEqual(await store.list(), []);
  await writeFile(join(folder, 'a b.toml'), 'nothing');
  const fault = await faultOf(() => store.list());
  t.is(fault.code, 'config');
  t.true(fault.message.includes(join(folder, 'a b.toml')));
});

test('a peer with a service that is not there is refused where services are known', async (t) => {
  const { store } = await makeStore(t);
  await store.add(peerRequest('alice'), entropy);
  t.is((await store.list(new Set([parseServiceName('ssh')]))).length, 1);
  t.is((await faultOf(() => store.list(new Set()))).code, 'config');
});

test('more peers than are read at once are all listed', async (t) => {
  const { store } = await makeStore(t);
  for (let at = 0; at < 150; at++) await store.add(peerRequest(`p${String(at)}`), entropy);
  t.is(new Set((await store.list()).map(({ name }) => name)).size, 150);
});

test('without its folder there are no peers, and it says what to do', async (t) => {
  const fault = await faultOf(async () => new PeerStore(await scratch(t)).list());
  t.is(fault.code, 'config');
  t.truthy(fault.hint);
});
