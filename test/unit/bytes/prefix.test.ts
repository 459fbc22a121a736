import test from 'ava';
import fc from 'fast-check';
import { decodeEndpoint, parseAddress } from '../../../src/bytes/address.ts';
import { limitKey } from '../../../src/bytes/prefix.ts';
import type { IpAddress } from '../../../src/units/network.ts';

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
