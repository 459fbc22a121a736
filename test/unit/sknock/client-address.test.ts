import test from 'ava';
import fc from 'fast-check';
import { toHex } from '../../../src/bytes/bytes.ts';
import { decodeClientAddress, encodeClientAddress } from '../../../src/sknock/client-address.ts';
import { address } from '../grants/plans.ts';

for (const [text, hex] of [
  ['192.0.2.1', 'c0000201000000000000000000000000'],
  ['255.255.255.255', 'ffffffff000000000000000000000000'],
  ['2001:db8::1', '20010db8000000000000000000000001'],
  ['::1', '00000000000000000000000000000001'],
] as const) {
  test(`${text} is written as it is read`, (t) => {
    t.is(toHex(encodeClientAddress(address(text))), hex);
    t.is(decodeClientAddress(Buffer.from(hex, 'hex')), address(text));
  });
}

test('any 16 bytes are an address, and all but IPv4-mapped ones come back the same', (t) => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(bytes, (each) => {
      t.deepEqual([...encodeClientAddress(decodeClientAddress(each))], [...each]);
    }),
  );
});
