import test from 'ava';
import fc from 'fast-check';
import * as keys from '../../../src/store/key-text.ts';

test('every key is read back from its text, in memory of its own', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
      const parsed = keys.parseKey(keys.formatKey(key), 32);
      t.deepEqual(parsed, Uint8Array.from(key));
      t.is(parsed?.buffer.byteLength, 32);
      t.deepEqual(keys.parseTag(keys.formatTag(key.slice(0, 8))), Uint8Array.from(key.slice(0, 8)));
    }),
  );
});

test('only the one text of a key is taken', (t) => {
  const text = keys.formatKey(new Uint8Array(32).fill(0xff));
  const others = [
    '',
    text.slice(1),
    `${text}A`,
    `${text}=`,
    ` ${text}`,
    `${text}\n`,
    text.replaceAll('_', '/'),
    // the last character's two spare bits are not zero
    `${text.slice(0, -1)}9`,
  ];
  t.truthy(keys.parseKey(text, 32));
  for (const other of others) t.is(keys.parseKey(other, 32), null, JSON.stringify(other));
});

test('only 16 lower-case hexadecimal digits are a tag', (t) => {
  t.truthy(keys.parseTag('0123456789abcdef'));
  for (const text of [
    '',
    '0123456789abcde',
    '0123456789abcdef0',
    '0123456789ABCDEF',
    '0x23456789abcdef',
  ]) {
    t.is(keys.parseTag(text), null, text);
  }
});
