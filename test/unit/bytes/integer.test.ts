import test from 'ava';
import fc from 'fast-check';
import { toHex } from '../../../src/bytes/bytes.ts';
import {
  decodeUint16,
  decodeUint32,
  decodeUint64,
  encodeUint16,
  encodeUint32,
  encodeUint64,
} from '../../../src/bytes/integer.ts';

const codecs = [
  { bits: 16, length: 2, max: 0xffff, encode: encodeUint16, decode: decodeUint16 },
  { bits: 32, length: 4, max: 0xffff_ffff, encode: encodeUint32, decode: decodeUint32 },
  { bits: 64, length: 8, max: Number.MAX_SAFE_INTEGER, encode: encodeUint64, decode: decodeUint64 },
] as const;

for (const { bits, length, max, encode, decode } of codecs) {
  test(`${String(bits)} bits are read as they were written, and nothing beside them is touched`, (t) => {
    const value = fc.oneof(fc.constantFrom(0, 1, max - 1, max), fc.integer({ min: 0, max }));
    fc.assert(
      fc.property(value, (number) => {
        const into = new Uint8Array(length + 2).fill(0xee);
        encode(number, into, 1);
        t.is(decode(into, 1), number);
        t.is(
          toHex(into),
          `ee${BigInt(number)
            .toString(16)
            .padStart(2 * length, '0')}ee`,
        );
      }),
    );
  });
}

test('64 bits above 2^53 are still read as a time far ahead', (t) => {
  fc.assert(
    fc.property(fc.bigInt(1n << 53n, (1n << 64n) - 1n), (number) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(number);
      t.true(decodeUint64(bytes, 0) >= 2 ** 53);
    }),
  );
});
