import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { carryOverAccess } from '../../../../src/config/fwknop/access-conf.ts';
import { readAccessFile } from '../../../../src/config/fwknop/access-file.ts';
import { importAccessFile } from '../../../../src/config/fwknop/import-access.ts';
import { loadServerFolder } from '../../../../src/config/server-folder.ts';
import { FakeEntropy } from '../../../../src/host/fake-entropy.ts';
import { parsePeerName, parseServiceName } from '../../../../src/units/names.ts';
import { parseServicePort } from '../../../../src/units/network.ts';
import type { UnixMs } from '../../../../src/units/time.ts';
import { Folder } from '../../server/folder.ts';
import { faultOf, scratch } from '../../store/scratch.ts';

const now = Date.UTC(2026, 0, 1) as UnixMs;
const [ssh, web] = ['ssh', 'web'].map(parseServiceName);
const services = new Map([
  [ssh ?? never(), [parseServicePort('tcp/22')]],
  [web ?? never(), ['tcp/80', 'tcp/443'].map(parseServicePort)],
]);
const keys = 'KEY secret\nHMAC_KEY hmac secret\nREQUIRE_SOURCE_ADDRESS Y\n';

/** What a text comes to, read as a file of its own. */
async function carry(
  t: Parameters<typeof scratch>[0],
  text: string,
  { unnamed = [] }: { readonly unnamed?: readonly string[] } = {},
) {
  const file = join(await scratch(t), 'access.conf');
  await writeFile(file, text, { mode: 0o600 });
  const entries = await readAccessFile(file);
  const context = { services, peers: [], unnamed: unnamed.map(parseServiceName), unixMs: now };
  const carried = carryOverAccess(entries, context);
  return { ...carried, noted: carried.notes.map(({ line }) => line) };
}

test('a stanza is a peer with its keys, what it may open and for how long', async (t) => {
  const { peers, notes } = await carry(
    t,
    `# remarks and empty lines are passed over

SOURCE: ANY
OPEN_PORTS    tcp/22
KEY_BASE64    c2VjcmV0
HMAC_KEY_BASE64 aG1hYyBzZWNyZXQ
HMAC_DIGEST_TYPE SHA3_512
FW_ACCESS_TIMEOUT 50
REQUIRE_SOURCE_ADDRESS Y
ENABLE_CMD_EXEC N
`,
  );
  t.deepEqual(notes, []);
  t.deepEqual(peers, [
    {
      name: parsePeerName('fwknop-1'),
      fwknop: {
        key: Uint8Array.from(Buffer.from('secret')),
        hmacKey: Uint8Array.from(Buffer.from('hmac secret')),
        hmacType: 'sha3-512',
      },
      services: [ssh],
      ttlMs: 50_000,
    },
  ] as never);
});

test('a passphrase goes to the end of its line, spaces there too, and is read no further than a semicolon', async (t) => {
  const { peers } = await carry(
    t,
    'SOURCE ANY\nOPEN_PORTS tcp/22\nKEY two words  \nHMAC_KEY a # b; c\n',
  );
  t.is(Buffer.from(peers[0]?.fwknop.key ?? []).toString(), 'two words  ');
  t.is(Buffer.from(peers[0]?.fwknop.hmacKey ?? []).toString(), 'a # b');
});

test('a port of no service gets one, and a port of a service the whole service, which is told', async (t) => {
  const {
    peers,
    services: added,
    noted,
  } = await carry(t, `SOURCE ANY\nOPEN_PORTS tcp/22,udp/53, tcp/443\n${keys}`);
  t.deepEqual(peers[0]?.services as readonly string[], ['ssh', 'udp-53', 'web']);
  t.deepEqual([...added], [['udp-53', parseServicePort('udp/53')]] as never);
  t.deepEqual(noted, [2], 'tcp/80 is open too');
});

test('a port that is restricted is not opened, nor a service that has it', async (t) => {
  const { peers, notes } = await carry(
    t,
    `SOURCE ANY\nOPEN_PORTS tcp/22,tcp/443,udp/53\nRESTRICT_PORTS udp/53,tcp/80\n${keys}`,
  );
  t.deepEqual(peers[0]?.services, [ssh]);
  t.deepEqual(
    notes.map(({ line }) => line),
    [3],
  );
});

test('a stanza that may open anything opens what the operator says, or nothing', async (t) => {
  const { peers } = await carry(t, `SOURCE ANY\n${keys}`, { unnamed: ['ssh'] });
  t.deepEqual(peers[0]?.services, [ssh]);
  const { peers: none, noted } = await carry(t, `SOURCE ANY\n${keys}`);
  t.is(none.length, 0);
  t.deepEqual(noted, [1]);
});

test('a user that packets must name is what the peer is called, once', async (t) => {
  const stanza = (hmac: string): string =>
    `SOURCE ANY\nOPEN_PORTS tcp/22\nKEY secret\nHMAC_KEY ${hmac}\nREQUIRE_USERNAME bob\n`;
  const { peers } = await carry(t, stanza('a') + stanza('b') + stanza('c'));
  t.deepEqual(
    peers.map(({ name }) => name as string),
    ['bob', 'fwknop-1', 'fwknop-2'],
  );
});

const open = `SOURCE ANY\nOPEN_PORTS tcp/22\n`;

for (const [what, text, line, count] of [
  ['no HMAC key', `${open}KEY secret\n`, 1, 0],
  ['no key', `${open}HMAC_KEY secret\n`, 1, 0],
  ['the placeholder', `${open}KEY_BASE64 __CHANGEME__\nHMAC_KEY_BASE64 __CHANGEME__\n`, 3, 0],
  ['a key that is too long', `${open}KEY ${'x'.repeat(33)}\nHMAC_KEY secret\n`, 3, 0],
  ['base64 that is none', `${open}KEY_BASE64 a.b\nHMAC_KEY secret\n`, 3, 0],
  ['an HMAC that nobody knows', `${open}${keys}HMAC_DIGEST_TYPE CRC32\n`, 6, 0],
  ['another mode of the cipher', `${open}${keys}ENCRYPTION_MODE legacy\n`, 6, 0],
  ['a stanza that is over', `${open}${keys}ACCESS_EXPIRE 12/31/2025\n`, 6, 0],
  ['one that is over by the second', `${open}${keys}ACCESS_EXPIRE_EPOCH 1500000000\n`, 6, 0],
  ['one that will be over', `${open}${keys}ACCESS_EXPIRE 12/31/2026\n`, 6, 1],
  ['one HMAC key twice', `${open}${keys}${open}${keys}`, 6, 1],
  ['a source', `SOURCE 10.0.0.0/8\nOPEN_PORTS tcp/22\n${keys}`, 1, 1],
  ['packets for any address', `${open}KEY a\nHMAC_KEY b\n`, 1, 1],
  ['a destination', `${open}${keys}DESTINATION 192.0.2.1\n`, 6, 1],
  ['commands', `${open}${keys}ENABLE_CMD_EXEC Y\n`, 6, 1],
  ['a cycle of commands', `${open}${keys}CMD_CYCLE_OPEN reboot\n`, 6, 1],
  ['forwarding', `${open}${keys}FORCE_NAT 192.168.1.2 22\n`, 6, 1],
  ['GnuPG', `${open}${keys}GPG_DECRYPT_ID ABCD1234\n`, 6, 1],
  ['a longest time', `${open}${keys}MAX_FW_TIMEOUT 900\n`, 6, 1],
  ['a time that is too long', `${open}${keys}FW_ACCESS_TIMEOUT 900000\n`, 6, 1],
  ['no time', `${open}${keys}FW_ACCESS_TIMEOUT 0\n`, 6, 1],
  ['a port that is none', `SOURCE ANY\nOPEN_PORTS tcp/22,icmp/8\n${keys}`, 2, 1],
  ['a key that nobody knows', `${open}${keys}COLOUR green\n`, 6, 1],
  ['a line before all stanzas', `COLOUR green\n${open}${keys}`, 1, 1],
] as const) {
  test(`${what}: told with its line, and no secret with it`, async (t) => {
    const { peers, noted, notes } = await carry(t, text);
    t.true(noted.includes(line), noted.join(','));
    t.is(peers.length, count);
    for (const { sentence } of notes) t.notRegex(sentence, /secret|CHANGEME|xxx|a\.b/);
  });
}

test('files that are included stand in their places, and are told by their own names', async (t) => {
  const folder = await scratch(t);
  const write = (name: string, text: string): Promise<void> =>
    writeFile(join(folder, name), text, { mode: 0o600 });
  await mkdir(join(folder, 'more'), { mode: 0o700 });
  await write('access.conf', `%include a.conf\n%include_folder ${folder}/more\n`);
  await write('a.conf', 'SOURCE ANY\nOPEN_PORTS tcp/22\n%include_keys keys\n');
  await write('keys', 'KEY secret\nHMAC_KEY one\n');
  await write(
    'more/b.conf',
    'SOURCE ANY\nOPEN_PORTS tcp/22\nKEY secret\nHMAC_KEY two\nCOLOUR red\n',
  );
  await write('more/passed.over', 'nonsense here\n');
  const entries = await readAccessFile(join(folder, 'access.conf'));
  const context = { services, peers: [], unnamed: [], unixMs: now };
  const { peers, notes } = carryOverAccess(entries, context);
  t.is(peers.length, 2);
  t.true(notes.some(({ file, line }) => file === join(folder, 'more/b.conf') && line === 5));
  await write('keys', '%include a.conf\n');
  t.is((await faultOf(() => readAccessFile(join(folder, 'access.conf')))).code, 'bad-input');
});

test('an import makes peers and services that the server starts with; a second one finds nothing more', async (t) => {
  const { path } = await Folder.create(t);
  const file = join(await scratch(t), 'access.conf');
  const options = { services: [], entropy: new FakeEntropy(1), unixMs: now };
  await writeFile(file, 'SOURCE ANY\nKEY __CHANGEME__\n', { mode: 0o600 });
  t.is((await faultOf(() => importAccessFile(file, path, options))).code, 'bad-input');
  await writeFile(file, `SOURCE ANY\nOPEN_PORTS tcp/22,udp/53\n${keys}`, { mode: 0o600 });
  const { isOn } = await importAccessFile(file, path, options);
  t.false(isOn);
  const { peers, config } = await loadServerFolder(path);
  t.deepEqual(
    peers.map(({ name, services: may, ttlMs }) => [name, may, ttlMs] as unknown),
    [['fwknop-1', ['ssh', 'udp-53'], 30_000]],
  );
  t.true(config.services.has(parseServiceName('udp-53')));
  t.regex(
    (await faultOf(() => importAccessFile(file, path, options))).message,
    /access.conf:1: .*HMAC key/,
  );
});

test('a file that others can read is refused', async (t) => {
  const file = join(await scratch(t), 'access.conf');
  await writeFile(file, `${open}${keys}`, { mode: 0o644 });
  t.is((await faultOf(() => readAccessFile(file))).code, 'config');
});

function never(): never {
  throw new Error('there is no such service');
}
