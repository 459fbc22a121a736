import test from 'ava';
import { ascii, toHex } from '../../../src/bytes/bytes.ts';
import { equalConstantTime, Mac } from '../../../src/crypto/mac.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

// RFC 4231, sections 4.2 to 4.8 (5 is of a truncated output)
const published = [
  {
    key: hex('0b'.repeat(20)),
    data: ascii('Hi There'),
    mac: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  },
  {
    key: ascii('Jefe'),
    data: ascii('what do ya want for nothing?'),
    mac: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
  {
    key: hex('aa'.repeat(20)),
    data: hex('dd'.repeat(50)),
    mac: '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  },
  {
    key: hex('0102030405060708090a0b0c0d0e0f10111213141516171819'),
    data: hex('cd'.repeat(50)),
    mac: '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  },
  {
    key: hex('aa'.repeat(131)),
    data: ascii('Test Using Larger Than Block-Size Key - Hash Key First'),
    mac: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  },
  {
    key: hex('aa'.repeat(131)),
    data: ascii(
      'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
    ),
    mac: '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  },
];

published.forEach(({ key, data, mac }, index) => {
  test(`gives the value of RFC 4231, example ${String(index + 1)}, in one part or many, again and again`, (t) => {
    const keyed = new Mac(key);
    t.is(toHex(keyed.of(data)), mac);
    t.is(toHex(keyed.of(...[...data].map((byte) => Uint8Array.of(byte)))), mac);
    t.is(toHex(keyed.of(new Uint8Array(), data)), mac);
  });
});

test('does not look at its key again after it was made', (t) => {
  const key = hex('0b'.repeat(20));
  const keyed = new Mac(key);
  const before = keyed.of(ascii('Hi There'));
  key.fill(0);
  t.deepEqual(keyed.of(ascii('Hi There')), before);
});

test('compares every byte', (t) => {
  const a = hex('00'.repeat(32));
  t.true(equalConstantTime(a, a.slice()));
  for (let i = 0; i < 32; i++) t.false(equalConstantTime(a, a.with(i, 1)));
});

test('bytes of another length are unequal, and no fault', (t) => {
  t.false(equalConstantTime(new Uint8Array(32), new Uint8Array(31)));
  t.false(equalConstantTime(new Uint8Array(0), new Uint8Array(1)));
  t.true(equalConstantTime(new Uint8Array(0), new Uint8Array(0)));
});
