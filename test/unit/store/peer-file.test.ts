import test from 'ava';
import fc from 'fast-check';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { formatKey, formatTag } from '../../../src/store/key-text.ts';
import { newFwknopKeys } from '../../../src/store/fwknop-key-text.ts';
import { decodePeer, encodePeer, replacePeerKeys } from '../../../src/store/peer-file.ts';
import { parsePeerName, parseServiceName } from '../../../src/units/names.ts';
import { anyPeerRequest, peerRequest } from './samples.ts';
import { faultOf } from './scratch.ts';

const alice = parsePeerName('alice');
const source = { file: 'alice.toml', known: null };
const entropy = new FakeEntropy(5);
const tag = entropy.bytes(8);
const secret = entropy.bytes(32);
const totp = entropy.bytes(32);
const keys = `tag = "${formatTag(tag)}"\nsecret = "${formatKey(secret)}"\n`;

test('every peer is read back from its file', (t) => {
  fc.assert(
    fc.property(anyPeerRequest, fc.constantFrom(null, totp), (request, own) => {
      const peer = { ...request, tag, secret, totp: own };
      t.deepEqual(decodePeer(encodePeer(peer), request.name, source), peer);
    }),
  );
});

test('the options that a new file names as comments are read when they are options', (t) => {
  const text = encodePeer({ ...peerRequest('alice'), tag, secret, totp: null }).replaceAll(
    /^# (\w+ = )/gm,
    '$1',
  );
  const peer = decodePeer(text, alice, source);
  t.deepEqual([peer.admission, Number(peer.ttlMs), peer.cutOnRevoke], ['once', 30_000, true]);
});

const wrong: readonly (readonly [content: string, line: number, key: string])[] = [
  ['services = ["ssh"]\n', 1, 'tag'],
  [keys, 1, 'services'],
  [`${keys}services = []\n`, 3, 'services'],
  [`${keys}services = "ssh"\n`, 3, 'services'],
  [`${keys}services = ["SSH"]\n`, 3, 'services[0]'],
  [`${keys}services = ["ssh",\n"ssh"]\n`, 4, 'services[1]'],
  [`${keys}services = ["ssh"]\nttl = "30"\n`, 4, 'ttl'],
  [`${keys}services = ["ssh"]\nttl = "999ms"\n`, 4, 'ttl'],
  [`${keys}services = ["ssh"]\nttl = "25h"\n`, 4, 'ttl'],
  [`${keys}services = ["ssh"]\nadmission = "all"\n`, 4, 'admission'],
  [`${keys}services = ["ssh"]\ncut_on_revoke = "yes"\n`, 4, 'cut_on_revoke'],
  [`${keys}services = ["ssh"]\nprefix = "/24"\n`, 4, 'prefix'],
  [`${keys}services = ["ssh"]\nfwknop_key = "base64:AA=="\n`, 1, 'fwknop_hmac_key'],
  [`${keys}services = ["ssh"]\nfwknop_hmac_key = "base64:AA=="\n`, 1, 'fwknop_key'],
  [`${keys}services = ["ssh"]\nfwknop_hmac = "sha256"\n`, 1, 'fwknop_key'],
  [`${keys}services = ["ssh"]\nfwknop_key = "AA=="\n`, 4, 'fwknop_key'],
  [`${keys}services = ["ssh"]\nfwknop_key = "base64:AA"\n`, 4, 'fwknop_key'],
  [`${keys}services = ["ssh"]\nfwknop_key = "passphrase:"\n`, 4, 'fwknop_key'],
  [`${keys}services = ["ssh"]\nfwknop_key = "passphrase:${'a'.repeat(33)}"\n`, 4, 'fwknop_key'],
  [
    `${keys}services = ["ssh"]\nfwknop_hmac_key = "passphrase:${'a'.repeat(129)}"\n`,
    4,
    'fwknop_hmac_key',
  ],
  [`${keys}services = ["ssh"]\nfwknop_hmac = "crc32"\n`, 4, 'fwknop_hmac'],
  [`${keys}services = ["ssh"]\ntime = 1979-05-27\n`, 4, 'time'],
];

for (const [content, line, key] of wrong) {
  test(`a wrong file is told with its line and key: ${key} ${String(line)} ${content.slice(-25)}`, async (t) => {
    const fault = await faultOf(() => decodePeer(content, alice, source));
    t.is(fault.code, 'config');
    t.true(fault.message.startsWith(`alice.toml:${String(line)}: ${key}: `), fault.message);
  });
}

test('no message about a wrong tag or secret shows it', async (t) => {
  const long = formatKey(entropy.bytes(33));
  for (const content of [
    `tag = "${long}"\nsecret = "${long}"\nservices = ["ssh"]\n`,
    `tag = "${long}"\nsecret = ["${long}"]\nservices = ["ssh"]\n`,
    `secret = ${long}\n`,
    `secret = "${long}\n`,
    `secret = "${long}"\nsecret = "${long}"\n`,
    `[secret]\nx = "${long}"\n`,
  ]) {
    const fault = await faultOf(() => decodePeer(content, alice, source));
    t.is(fault.code, 'config');
    const all = [fault.message, fault.hint, fault.stack, String(fault.cause)].join();
    t.false(all.includes(long.slice(0, 8)), fault.message);
  }
});

test('a service that the server does not have is told with its line', async (t) => {
  const known = new Set([parseServiceName('ssh'), parseServiceName('web')]);
  const content = `${keys}services = [\n"ssh",\n"wbe",\n]\n`;
  t.notThrows(() => decodePeer(content, alice, source));
  const fault = await faultOf(() => decodePeer(content, alice, { ...source, known }));
  t.is(fault.code, 'config');
  t.true(fault.message.startsWith('alice.toml:5: services[1]: '), fault.message);
});

test('new keys change nothing else in a file', (t) => {
  const next = { tag: entropy.bytes(8), secret: entropy.bytes(32), totp: null };
  const peer = { ...peerRequest('alice'), tag, secret, totp: null };
  for (const content of [
    encodePeer(peer),
    `# \u{1F511} secret = "x"\nservices = ["ssh"] # mine\r\n'secret' = '${formatKey(secret)}'\t# s\r\ntag = """${formatTag(tag)}"""`,
    `tag = """\n${formatTag(tag)}"""\nsecret = '''${formatKey(secret)}'''\nservices = ["ssh"]\n`,
  ]) {
    const replaced = replacePeerKeys(content, next);
    t.deepEqual(decodePeer(replaced, alice, source), { ...peer, ...next });
    const blank = (text: string) =>
      text
        .replace(/(?<=tag = )["\n]+[0-9a-f]{16}"+/, '')
        .replace(/(?<=secret'? = )["']+[\w-]{43}["']+/, '');
    t.is(blank(replaced), blank(content));
  }
});

test('where a peer knocks by sequences as well, that key is replaced too', (t) => {
  const peer = { ...peerRequest('alice'), tag, secret, totp };
  const next = { tag: entropy.bytes(8), secret: entropy.bytes(32), totp: entropy.bytes(32) };
  const replaced = replacePeerKeys(encodePeer(peer), next);
  t.deepEqual(decodePeer(replaced, alice, source), { ...peer, ...next });
  t.is(replaced, encodePeer({ ...peer, ...next }));
});

test('where a peer knocks as a client of fwknop, those keys are replaced too, and the HMAC stays', (t) => {
  const keysFrom = (seed: number) => ({
    ...newFwknopKeys(new FakeEntropy(seed)),
    hmacType: 'md5' as const,
  });
  const peer = { ...peerRequest('alice'), tag, secret, totp: null, fwknop: keysFrom(1) };
  const next = {
    tag: entropy.bytes(8),
    secret: entropy.bytes(32),
    totp: null,
    fwknop: keysFrom(2),
  };
  const replaced = replacePeerKeys(encodePeer(peer), next);
  t.is(replaced, encodePeer({ ...peer, ...next }));
  t.deepEqual(decodePeer(replaced, alice, source), { ...peer, ...next });
});

test('no message about a wrong key for sequences shows it', async (t) => {
  const long = formatKey(entropy.bytes(33));
  const content = `${keys}totp = "${long}"\nservices = ["ssh"]\n`;
  const fault = await faultOf(() => decodePeer(content, alice, source));
  t.true(fault.message.startsWith('alice.toml:3: totp: '), fault.message);
  t.false(fault.message.includes(long.slice(0, 8)), fault.message);
});
