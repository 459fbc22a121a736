import test from 'ava';
import fc from 'fast-check';
import { formatFwknopProfile, parseFwknopProfile } from '../../../src/store/fwknop-key-text.ts';
import { hmacTypes } from '../../../src/units/hmac-type.ts';
import { isPort } from '../../../src/units/network.ts';

test('every set of keys is read back from its line in a profile', (t) => {
  const keys = fc.record({
    port: fc.integer({ min: 1, max: 65_535 }).filter(isPort),
    hmacType: fc.constantFrom(...hmacTypes),
    key: fc.uint8Array({ minLength: 1, maxLength: 32 }),
    hmacKey: fc.uint8Array({ minLength: 1, maxLength: 128 }),
  });
  fc.assert(
    fc.property(keys, (each) => {
      t.deepEqual(parseFwknopProfile(formatFwknopProfile(each)), each);
    }),
  );
});

test('a line that lacks something, or says more, is none', (t) => {
  for (const line of [
    '',
    '62201 sha256 base64:AA==',
    '0 sha256 base64:AA== base64:AA==',
    '62201 crc32 base64:AA== base64:AA==',
    '62201 sha256 base64:AA base64:AA==',
    '62201 sha256 base64:AA== base64:AA== more',
  ]) {
    t.is(parseFwknopProfile(line), null, line);
  }
});
