import { chmod, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { HknockError } from '../../../src/errors/hknock-error.ts';
import { formatKey, formatTag } from '../../../src/store/key-text.ts';
import { isProfileName, renameProfile } from '../../../src/store/profile.ts';
import { profileFields } from '../../../src/store/profile-fields.ts';
import {
  decodeProfile,
  encodeProfile,
  readProfileFile,
  writeProfileFile,
} from '../../../src/store/profile-file.ts';
import { anyProfile, profile } from './samples.ts';
import { faultOf, scratch } from './scratch.ts';

test('every profile is read back from its text', (t) => {
  fc.assert(
    fc.property(anyProfile, (each) => {
      t.deepEqual(profileFields(decodeProfile(encodeProfile(each), 'file')), profileFields(each));
    }),
  );
});

test('a profile file has mode 0600, is read back, and is never overwritten', async (t) => {
  const path = join(await scratch(t), 'alice.toml');
  const first = profile();
  await writeProfileFile(path, first);
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.is((await faultOf(() => writeProfileFile(path, profile()))).code, 'usage');
  t.deepEqual(await readProfileFile(path), first);
  await chmod(path, 0o644);
  t.is((await faultOf(() => readProfileFile(path))).code, 'config');
  t.is((await faultOf(() => readProfileFile(`${path}.no`))).code, 'bad-input');
});

const sample = profile();
const text = encodeProfile(sample);
const line = (key: string) => text.split('\n').findIndex((each) => each.startsWith(key)) + 1;

const wrong: readonly (readonly [title: string, content: string, place: string])[] = [
  ['an unknown key', text.replace('hosts = ', 'host = '), `${String(line('hosts'))}: host: `],
  ['no host', text.replace(/hosts = .*/, 'hosts = []'), `${String(line('hosts'))}: hosts: `],
  [
    'a wrong host',
    text.replace(/hosts = .*/, 'hosts = ["a b"]'),
    `${String(line('hosts'))}: hosts: `,
  ],
  ['port 0', text.replace(/port = .*/, 'port = 0'), `${String(line('port'))}: port: `],
  ['a port as text', text.replace(/port = .*/, 'port = "22"'), `${String(line('port'))}: port: `],
  ['a wrong name', text.replace(/name = .*/, 'name = "-x"'), `${String(line('name'))}: name: `],
  ['a wrong peer', text.replace(/peer = .*/, 'peer = ""'), `${String(line('peer'))}: peer: `],
  ['a short tag', text.replace(/tag = "../, 'tag = "'), `${String(line('tag'))}: tag: `],
  [
    'a long secret',
    text.replace('secret = "', 'secret = "A'),
    `${String(line('secret'))}: secret: `,
  ],
  [
    'a wrong responder',
    text.replace('responder = "', 'responder = "A'),
    `${String(line('responder'))}: responder: `,
  ],
  ['no services', text.replace(/\[services\][^]*/, ''), '1: services: '],
  ['empty services', text.replace(/ssh = .*/, ''), `${String(line('[services]'))}: services: `],
  [
    'a service without ports',
    text.replace(/ssh = .*/, 'ssh = []'),
    `${String(line('[services]'))}: services: `,
  ],
  ['a wrong port', text.replace('tcp/22', 'tcp/0'), `${String(line('[services]'))}: services: `],
  [
    'a wrong service',
    text.replace('ssh = ', 'SSH = '),
    `${String(line('[services]'))}: services: `,
  ],
  [
    'an inherited name',
    `${text}\n[__proto__]\nname = "x"\n`,
    `${String(line('[services]') + 3)}: __proto__: `,
  ],
  ['no TOML', `${text}x\n`, `${String(line('[services]') + 3)}: not TOML`],
];

for (const [title, content, place] of wrong) {
  test(`a profile with ${title} is told with its line and key, and no secret`, async (t) => {
    const fault = await faultOf(() => decodeProfile(content, 'file'));
    t.is(fault.code, 'bad-input');
    t.true(
      fault.message.split('\n').some((each) => each.startsWith(`file:${place}`)),
      fault.message,
    );
    t.false(fault.message.includes(formatKey(sample.secret).slice(1, 9)));
    t.false(fault.message.includes(formatTag(sample.tag).slice(2, 10)));
  });
}

test('no bytes do worse than a fault of the file', async (t) => {
  const path = join(await scratch(t), 'file');
  await writeFile(path, '', { mode: 0o600 });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      await writeFile(path, bytes);
      const fault: unknown = await readProfileFile(path).catch((error: unknown) => error);
      t.true(fault instanceof HknockError && fault.code === 'bad-input');
    }),
  );
});

test('no change of one character does worse than a fault of the file', (t) => {
  const change = fc.tuple(
    fc.nat(text.length),
    fc.nat(3),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );
  fc.assert(
    fc.property(change, ([at, cut, insert]) => {
      try {
        decodeProfile(text.slice(0, at) + insert + text.slice(at + cut), 'file');
      } catch (error) {
        if (!(error instanceof HknockError) || error.code !== 'bad-input') throw error;
      }
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

test('a profile can have the name of any host, and no name that looks like an option', async (t) => {
  for (const name of [
    'vpn.example.org',
    '2001:db8::1',
    '::1',
    '192.0.2.1',
    'home',
    '_x',
    'me@home',
  ]) {
    t.is(renameProfile(sample, name).name, name);
  }
  for (const name of ['', '-x', 'a b', 'a/b', 'a\n', 'x'.repeat(254)]) {
    t.false(isProfileName(name));
    t.is((await faultOf(() => renameProfile(sample, name))).code, 'usage');
  }
});
