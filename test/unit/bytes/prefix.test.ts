import test from 'ava';
import fc from 'fast-check';
import { decodeEndpoint, parseAddress } from '../../../src/bytes/address.ts';
import { isAt, isWithin, limitKey, parsePrefix, poolOf } from '../../../src/bytes/prefix.ts';
import type { IpAddress, Prefix } from '../../../src/units/network.ts';

const keys = {
  '192.0.2.1': '192.0.2.1',
  '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
  '2001:db8::1': '2001:db8:0:0::/64',
  '::1': '0:0:0:0::/64',
};

for (const [address, key] of Object.entries(keys)) {
  test(`${address} is limited as ${key}`, (t) => {
    t.is(limitKey(address as IpAddress), key);
  });
}

test('two IPv6 addresses are limited together just when their first 64 bits are the same', (t) => {
  const half = fc.uint8Array({ minLength: 8, maxLength: 8 });
  const prefixes = fc.oneof(fc.constantFrom(new Uint8Array(8), new Uint8Array(8).fill(1)), half);
  fc.assert(
    fc.property(prefixes, half, prefixes, (prefix, tail, other) => {
      const key = (first: Uint8Array, second: Uint8Array): string =>
        limitKey(decodeEndpoint(Uint8Array.from([...first, ...second, 0, 0]), 0).address);
      // ::ffff:0:0/96 is IPv4
      fc.pre(tail[0] !== 0);
      t.is(key(prefix, tail), key(prefix, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)));
      t.is(key(prefix, tail) === key(other, tail), String(prefix) === String(other));
      t.truthy(parseAddress(key(prefix, tail).replace('/64', '')));
    }),
  );
});

for (const [text, prefix] of [
  ['203.0.113.0/24', '203.0.113.0/24'],
  ['203.0.113.7', '203.0.113.7/32'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['2001:DB8::/33', '2001:db8::/33'],
  ['2001:db8::1', '2001:db8::1/128'],
  ['::/0', '::/0'],
  ['::ffff:203.0.113.7', '203.0.113.7/32'],
  ['203.0.113.7/24', null],
  ['203.0.113.0/33', null],
  ['203.0.113.0/024', null],
  ['203.0.113.0/', null],
  ['203.0.113/24', null],
  ['::ffff:203.0.113.0/120', null],
  ['2001:db8::/129', null],
  ['2001:db8:8000::/32', null],
  ['fe80::%eth0/64', null],
  ['', null],
  ['/24', null],
] as const) {
  test(`the prefix '${text}' is ${prefix ?? 'none'}`, (t) => {
    t.is<string | null, string | null>(parsePrefix(text), prefix);
  });
}

test('an address is within a prefix just when all bits of the prefix are its own', (t) => {
  const bitsOf = (bytes: Uint8Array): string =>
    [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const length = fc.integer({ min: 0, max: 128 });
  fc.assert(
    fc.property(sixteen, length, fc.integer({ min: 0, max: 127 }), (bytes, bits, flipAt) => {
      fc.pre(bytes[0] !== 0); // not IPv4
      const first = bytes.map(
        (byte, at) => byte & (0xff00 >> Math.max(0, Math.min(8, bits - 8 * at))),
      );
      fc.pre(first[0] !== 0);
      const other = Uint8Array.from(bytes);
      other[flipAt >> 3] = (other[flipAt >> 3] ?? 0) ^ (0x80 >> (flipAt & 7));
      const address = (of: Uint8Array): IpAddress =>
        decodeEndpoint(Uint8Array.from([...of, 0, 0]), 0).address;
      const prefix = parsePrefix(`${address(first)}/${String(bits)}`);
      if (prefix === null) throw new Error(bitsOf(first));
      t.true(isWithin(address(bytes), prefix));
      t.is(isWithin(address(other), prefix), flipAt >= bits);
    }),
  );
});

test('no address is within a prefix of the other family', (t) => {
  t.false(isWithin('192.0.2.1' as IpAddress, '::/0' as Prefix));
  t.false(isWithin('2001:db8::1' as IpAddress, '0.0.0.0/0' as Prefix));
});

test('a pool is the /24 of an IPv4 address and the /64 of an IPv6 one', (t) => {
  t.is(String(poolOf('198.51.100.77' as IpAddress)), '198.51.100.0/24');
  t.is(String(poolOf('2001:db8:1:2:3:4:5:6' as IpAddress)), '2001:db8:1:2::/64');
  for (const address of ['198.51.100.77', '2001:db8::1'] as IpAddress[]) {
    t.true(isAt(address, poolOf(address)));
    t.true(isAt(address, address));
  }
  t.false(isAt('198.51.101.1' as IpAddress, '198.51.100.0/24' as Prefix));
  t.false(isAt('198.51.100.1' as IpAddress, '198.51.100.10' as IpAddress));
});
