import test from 'ava';
import fc from 'fast-check';
import { isIP, isIPv6, SocketAddress } from 'node:net';
import {
  decodeEndpoint,
  encodeEndpoint,
  ENDPOINT_LENGTH,
  familyOf,
  parseAddress,
} from '../../../src/bytes/address.ts';
import { toHex } from '../../../src/bytes/bytes.ts';
import type { IpAddress } from '../../../src/units/network.ts';

const canonical: readonly (readonly [text: string, canonical: string])[] = [
  ['192.0.2.1', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.255'],
  // RFC 5952, section 4: lower case, no leading zeros, the longest run of zeros shortened, the first of equal ones
  ['2001:DB8::1', '2001:db8::1'],
  ['2001:0db8::0001', '2001:db8::1'],
  ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['::', '::'],
  // IPv4-mapped, however it is written
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  // other addresses with an IPv4 address in them are IPv6
  ['::192.0.2.1', '::c000:201'],
  ['::ffff:0:192.0.2.1', '::ffff:0:c000:201'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  // zones
  ['fe80::1%eth0', 'fe80::1'],
  ['fe80::1%25', 'fe80::1'],
  ['fe80::1%a%b', 'fe80::1'],
];

for (const [text, expected] of canonical) {
  test(`parses ${text}`, (t) => {
    t.is(parseAddress(text), expected as IpAddress);
  });
}

const notAddresses = [
  ...['', ' ', '%', '%eth0', 'localhost', '1', '127.1', '0x7f.1', '0x7f000001', '2130706433'],
  ...[
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.4.',
    '.1.2.3.4',
    '256.1.1.1',
    '1.2.3.-4',
    '01.2.3.4',
    '1.2.3.04',
  ],
  ...['1.2.3.4 ', ' 1.2.3.4', '1.2.3.4\n', '1.2.3.4\0', '1.2.3.4/24', '1.2.3.4:80', '٣.2.3.4'],
  ...[
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'g::',
    '[::1]',
    '::1/64',
  ],
  ...[
    '::ffff:01.2.3.4',
    '::ffff:0x1.2.3.4',
    '::ffff:1.2.3',
    '::ffff:256.1.1.1',
    '1.2.3.4::',
    '::1.2.3.4:5',
  ],
];

for (const text of notAddresses) {
  test(`refuses ${JSON.stringify(text)}`, (t) => {
    t.is(parseAddress(text), null);
  });
}

test('refuses whatever the system refuses, and takes nothing else for an address', (t) => {
  const letters = fc.constantFrom(...'0123456789abcdefABCDEFgx.:% /-[]');
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: letters, maxLength: 24 }), fc.string()), (text) => {
      const [bare = ''] = text.split('%');
      t.is(parseAddress(text) !== null, isIP(bare) !== 0, text);
    }),
    { numRuns: 2000 },
  );
});

test('one address has one text, however it was written', (t) => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const parsed = parseAddress(text);
      if (parsed === null) return t.fail(text);
      t.is(parseAddress(parsed), parsed);
      t.is(parseAddress(text.toUpperCase()), parsed);
      const long = toHex(encoded(parsed, 0).subarray(0, 16)).match(/.{4}/g)?.join(':') ?? '';
      t.is(parseAddress(long), parsed);
    }),
  );
});

// Node writes the source of a datagram as inet_ntop does, with dots in more places than RFC 5952 would have
test('reads the text of the system for any 16 bytes', (t) => {
  const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const compatible = bytes16.map((bytes) =>
    Uint8Array.from([...new Uint8Array(12), ...bytes.subarray(12)]),
  );
  fc.assert(
    fc.property(fc.oneof(bytes16, compatible), (bytes) => {
      const groups = toHex(bytes).match(/.{4}/g)?.join(':') ?? '';
      const { address } = new SocketAddress({ address: groups, family: 'ipv6' });
      t.true(isIPv6(address));
      t.is(parseAddress(address), decodeEndpoint(withPort(bytes), 0).address, address);
    }),
  );
});

test('P11: every 18 bytes are one endpoint, and it encodes to the same bytes', (t) => {
  const mapped = fc
    .uint8Array({ minLength: 6, maxLength: 6 })
    .map((tail) => Uint8Array.from([...new Uint8Array(10), 0xff, 0xff, ...tail]));
  const any = fc.uint8Array({ minLength: ENDPOINT_LENGTH, maxLength: ENDPOINT_LENGTH });
  fc.assert(
    fc.property(fc.oneof(mapped, any), (bytes) => {
      const { address, port } = decodeEndpoint(bytes, 0);
      t.deepEqual(encoded(address, port), bytes);
    }),
  );
});

test('P11: an IPv4 endpoint is written as IPv4-mapped, over whatever was there', (t) => {
  const into = new Uint8Array(20).fill(0xee);
  encodeEndpoint({ address: '192.0.2.255' as IpAddress, port: 0x1234 }, into, 1);
  t.is(toHex(into), `ee${'00'.repeat(10)}ffffc00002ff1234ee`);
  t.deepEqual(decodeEndpoint(into, 1), { address: '192.0.2.255' as IpAddress, port: 0x1234 });
});

test('tells the families apart', (t) => {
  t.is(familyOf('192.0.2.1' as IpAddress), 4);
  t.is(familyOf('::' as IpAddress), 6);
});

function encoded(address: IpAddress, port: number): Uint8Array {
  const bytes = new Uint8Array(ENDPOINT_LENGTH).fill(0xee);
  encodeEndpoint({ address, port }, bytes, 0);
  return bytes;
}

function withPort(address: Uint8Array): Uint8Array {
  return Uint8Array.from([...address, 0, 0]);
}
