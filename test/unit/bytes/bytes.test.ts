import test from 'ava';
import fc from 'fast-check';
import { ascii, concat, isZero, toHex } from '../../../src/bytes/bytes.ts';

test('joins parts in fresh memory', (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (parts) => {
      const whole = concat(...parts);
      t.is(toHex(whole), parts.map(toHex).join(''));
      t.true(parts.every(({ buffer }) => buffer !== whole.buffer));
    }),
  );
});

test('writes a view of a longer buffer, not the buffer', (t) => {
  t.is(toHex(Uint8Array.of(1, 2, 0xab, 4).subarray(1, 3)), '02ab');
});

test('encodes labels byte for byte', (t) => {
  t.is(toHex(ascii('hknock/1')), '686b6e6f636b2f31');
});

test('finds the one byte that is not zero', (t) => {
  for (let i = 0; i < 8; i++) {
    const bytes = new Uint8Array(8);
    bytes[i] = 0x80;
    t.is(isZero(bytes, 2, 6), i < 2 || i >= 6);
    t.is(isZero(bytes, 2), i < 2);
  }
  t.true(isZero(new Uint8Array(4), 4));
});
