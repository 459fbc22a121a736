import test from 'ava';
import { carryOverRc, isRcText } from '../../../../src/config/fwknop/rc-file.ts';
import { decodeProfile, encodeProfile } from '../../../../src/store/profile-file.ts';
import { isForFwknopAlone } from '../../../../src/store/profile.ts';

/** As `fwknop --key-gen --save-rc-stanza` writes it. */
const stock = `[default]

[spa.example.org]
ALLOW_IP                    192.0.2.7
ACCESS                      tcp/22
SPA_SERVER                  spa.example.org
KEY_BASE64                  zTQqG5lyg4CKBeRa2gY7jhPbEtapzTslw36z711HGQA=
HMAC_KEY_BASE64             2B+l096n3K46gor9lh9JIMhqOUTpI9lZN89tWBrkfbRETJJRh2MkOwk5fT+cuiz9LvbCQVZH8VrhS5BeqhuMmg==
USE_HMAC                    Y
`;
const secrets = 'KEY secret words\nHMAC_KEY: hmac # remark\n';
const stanza = `[gate]\nSPA_SERVER 192.0.2.1\nACCESS tcp/22\n${secrets}`;

function carry(text: string) {
  const { profiles, notes } = carryOverRc(text, '.fwknoprc');
  return { profiles, notes, noted: notes.map(({ line }) => line) };
}

test('what the stock client has written is a profile, whole, and its file is read back', (t) => {
  const { profiles, notes } = carry(stock);
  t.deepEqual(notes, []);
  const [profile] = profiles;
  t.like(profile, { name: 'spa.example.org', hosts: ['spa.example.org'] });
  t.like(profile?.fwknop, { port: 62_201, hmacType: 'sha256', source: '192.0.2.7' });
  t.deepEqual([...(profile?.services.values() ?? [])], [[{ protocol: 'tcp', port: 22 }]] as never);
  if (profile === undefined) throw new Error('no profile');
  t.true(isForFwknopAlone(profile));
  t.deepEqual(decodeProfile(encodeProfile(profile), 'profile.toml'), profile);
});

test('what stands under [default] holds for all, and a stanza says otherwise for itself', (t) => {
  const usual = `[default]\nALLOW_IP source\nHMAC_DIGEST_TYPE SHA512\nSPA_SERVER_PORT 1234\n${secrets}`;
  const { profiles } = carry(
    `${usual}[one]\nSPA_SERVER one\nACCESS tcp/22\n[two]\nSPA_SERVER two\nACCESS udp/53,tcp/22\nALLOW_IP 0.0.0.0\nHMAC_DIGEST_TYPE MD5\nSPOOF_USER carol\n`,
  );
  t.deepEqual(
    profiles.map(({ name, peer, port, fwknop }) => [name, peer, port, fwknop?.hmacType] as unknown),
    [
      ['one', 'fwknop', 1234, 'sha512'],
      ['two', 'carol', 1234, 'md5'],
    ],
  );
  t.is(profiles[1]?.fwknop?.source, 'any');
});

test('a passphrase ends at the first space, as it does for the stock client', (t) => {
  const [profile] = carry(stanza).profiles;
  t.is(Buffer.from(profile?.fwknop?.key ?? []).toString(), 'secret');
  t.is(Buffer.from(profile?.fwknop?.hmacKey ?? []).toString(), 'hmac');
});

for (const [what, text, line, count] of [
  ['no server', `[gate]\nACCESS tcp/22\n${secrets}`, 1, 0],
  ['nothing wanted', `[gate]\nSPA_SERVER 192.0.2.1\n${secrets}`, 1, 0],
  ['no HMAC key', '[gate]\nSPA_SERVER 192.0.2.1\nACCESS tcp/22\nKEY secret\n', 1, 0],
  ['no HMAC', `${stanza}USE_HMAC N\n`, 6, 0],
  ['GnuPG', `${stanza}USE_GPG Y\n`, 6, 0],
  ['another mode of the cipher', `${stanza}ENCRYPTION_MODE legacy\n`, 6, 0],
  ['a name that is none', stanza.replace('gate', '-'), 1, 0],
  ['a time', `${stanza}FW_TIMEOUT 50\n`, 6, 1],
  ['forwarding', `${stanza}NAT_LOCAL Y\n`, 6, 1],
  ['a web site', `${stanza}RESOLVE_IP_HTTPS Y\n`, 6, 1],
  ['an address to be found out', `${stanza}ALLOW_IP resolve\n`, 6, 1],
  ['another way', `${stanza}SPA_SERVER_PROTO tcp\n`, 6, 1],
  ['a port that is none', `${stanza}SPA_SERVER_PORT 0\n`, 6, 1],
  ['a user that is none', `${stanza}SPOOF_USER .\n`, 6, 1],
  ['a key that nobody knows', `${stanza}COLOUR green\n`, 6, 1],
] as const) {
  test(`${what}: told with its line, and no secret with it`, (t) => {
    const { profiles, noted, notes } = carry(text);
    t.true(noted.includes(line), noted.join(','));
    t.is(profiles.length, count);
    for (const { sentence } of notes) t.notRegex(sentence, /secret|words|hmac/);
  });
}

test('what asks for nothing, or for what there is, is passed over', (t) => {
  const idle =
    'NAT_LOCAL N\nVERBOSE Y\nSPA_SERVER_PROTO udp\nDIGEST_TYPE SHA256\nUSE_HMAC Y\nENCRYPTION_MODE CBC\n';
  t.deepEqual(carry(stanza + idle).notes, []);
});

test('a .fwknoprc has sections, and an access.conf has none', (t) => {
  t.true(isRcText(stock));
  t.false(isRcText('SOURCE ANY\nKEY [a]\n'));
});
