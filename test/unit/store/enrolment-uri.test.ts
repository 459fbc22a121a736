import test from 'ava';
import fc from 'fast-check';
import { encode } from 'uqr';
import { HknockError } from '../../../src/errors/hknock-error.ts';
import {
  formatEnrolmentUri,
  isEnrolmentUri,
  parseEnrolmentUri,
} from '../../../src/store/enrolment-uri.ts';
import { formatKey } from '../../../src/store/key-text.ts';
import { profileFields } from '../../../src/store/profile-fields.ts';
import { parseServiceName } from '../../../src/units/names.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import { anyProfile, profile } from './samples.ts';
import { faultOf } from './scratch.ts';

const sample = profile({
  secret: new Uint8Array(32).fill(0xab),
  tag: new Uint8Array(8).fill(0xcd),
});
const uri = formatEnrolmentUri(sample);

test('every profile is read back from its URI', (t) => {
  fc.assert(
    fc.property(anyProfile, (each) => {
      const text = formatEnrolmentUri(each);
      t.deepEqual(profileFields(parseEnrolmentUri(text)), profileFields(each));
      t.true(isEnrolmentUri(text));
      // as RFC 3986 has it: nothing that would have to be encoded
      t.regex(text, /^hknock:\/\/[A-Za-z0-9._:[\]-]+\/\?[A-Za-z0-9._~:@/,&=-]+$/);
    }),
  );
});

test('the URI is as documented', (t) => {
  t.is(
    uri,
    `hknock://vpn.example.org/?v=1&peer=alice&responder=${formatKey(sample.responderId)}` +
      `&tag=cdcdcdcdcdcdcdcd&secret=${formatKey(sample.secret)}&service=ssh:tcp/22`,
  );
  const ports = ['tcp/80', 'udp/443'].map(parseServicePort);
  const other = profile({
    name: 'home',
    hosts: ['2001:db8::1', '192.0.2.1'],
    services: new Map([[parseServiceName('web'), ports]]),
  });
  const text = formatEnrolmentUri({ ...other, port: parseServicePort('udp/1').port });
  t.true(text.startsWith('hknock://[2001:db8::1]:1/?v=1&name=home&peer='));
  t.true(text.endsWith('&host=192.0.2.1&service=web:tcp/80,udp/443'));
});

test('it fits in a QR code that a screen can show', (t) => {
  t.true(encode(uri, { ecc: 'L' }).size <= 60);
});

test('the order of parameters and percent-encoding do not matter', (t) => {
  const [head = '', query = ''] = uri.split('?');
  const pairs = query.split('&');
  t.deepEqual(parseEnrolmentUri(`${head}?${pairs.reverse().join('&')}`), sample);
  const encoded = new URLSearchParams(query).toString();
  t.not(encoded, query);
  t.deepEqual(parseEnrolmentUri(`${head}?${encoded}`), sample);
  t.deepEqual(parseEnrolmentUri(uri.replace('hknock://vpn', 'HKNOCK://VPN')), sample);
});

const wrong: Readonly<Record<string, string>> = {
  nothing: '',
  'another scheme': uri.replace('hknock:', 'https:'),
  'no host': uri.replace('vpn.example.org', ''),
  'a user': uri.replace('vpn', 'me@vpn'),
  'a path': uri.replace('/?', '/x?'),
  'a fragment': `${uri}#x`,
  'a blank': `${uri} `,
  'port 0': uri.replace('.org/', '.org:0/'),
  'port 65536': uri.replace('.org/', '.org:65536/'),
  'an IPv6 address without brackets': uri.replace('vpn.example.org', '2001:db8::1'),
  'a name in brackets that is none': uri.replace('vpn.example.org', '[a b]'),
  'no version': uri.replace('v=1&', ''),
  'another version': uri.replace('v=1', 'v=2'),
  'no peer': uri.replace(/&peer=[^&]*/, ''),
  'no responder': uri.replace(/&responder=[^&]*/, ''),
  'no tag': uri.replace(/&tag=[^&]*/, ''),
  'no secret': uri.replace(/&secret=[^&]*/, ''),
  'no service': uri.replace(/&service=[^&]*/, ''),
  'two peers': `${uri}&peer=alice`,
  'an unknown parameter': `${uri}&x=1`,
  'an inherited parameter': `${uri}&__proto__=1`,
  'an empty parameter': `${uri}&`,
  'a secret cut short': uri.replace(/(&secret=.{40})[^&]*/, '$1'),
  'a service without ports': uri.replace('ssh:tcp/22', 'ssh'),
  'a service with a wrong port': uri.replace('tcp/22', 'tcp/22,'),
  'a service with more behind it': uri.replace('tcp/22', 'tcp/22:x'),
  'one service twice': `${uri}&service=ssh:tcp/23`,
  'a wrong percent sign': uri.replace('alice', '%E0%A4'),
  'too much': uri + '&host=a'.repeat(2000),
};

for (const [title, text] of Object.entries(wrong)) {
  test(`a URI with ${title} is refused without a word of the secret`, async (t) => {
    const fault = await faultOf(() => parseEnrolmentUri(text));
    t.is(fault.code, 'bad-input');
    t.false(fault.message.includes(formatKey(sample.secret).slice(0, 6)), fault.message);
    t.false(fault.message.includes('cdcd'), fault.message);
  });
}

test('every URI cut short is refused', async (t) => {
  for (let length = 0; length < uri.length - 1; length++) {
    // "tcp/2" is a port too
    const cut = uri.slice(0, length);
    t.is((await faultOf(() => parseEnrolmentUri(cut))).code, 'bad-input', cut);
  }
});

test('no text does worse than a fault of the text', (t) => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.constantFrom('hknock://', '/?', '&', 'v=1', '%', '=', 'service=', ':'),
  );
  const changed = fc
    .tuple(fc.nat(uri.length), fc.nat(4), fc.string({ unit: 'binary', maxLength: 3 }))
    .map(([at, cut, insert]) => uri.slice(0, at) + insert + uri.slice(at + cut));
  fc.assert(
    fc.property(
      fc.oneof(
        changed,
        fc.array(piece).map((all) => all.join('')),
      ),
      (text) => {
        try {
          parseEnrolmentUri(text);
        } catch (error) {
          if (!(error instanceof HknockError) || error.code !== 'bad-input') throw error;
        }
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});
