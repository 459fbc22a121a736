import test from 'ava';
import fc from 'fast-check';
import { formatFwknopProfile, parseFwknopProfile } from '../../../src/store/fwknop-key-text.ts';
import { hmacTypes } from '../../../src/units/hmac-type.ts';
import { isPort } from '../../../src/units/network.ts';
import { address } from '../grants/plans.ts';

test('every set of keys is read back from its line in a profile', (t) => {
  const keys = fc.record({
    port: fc.integer({ min: 1, max: 65_535 }).filter(isPort),
    hmacType: fc.constantFrom(...hmacTypes),
    key: fc.uint8Array({ minLength: 1, maxLength: 32 }),
    hmacKey: fc.uint8Array({ minLength: 1, maxLength: 128 }),
    source: fc.constantFrom('any' as const, address('192.0.2.7')),
  });
  fc.assert(
    fc.property(keys, ({ source, ...each }) => {
      t.deepEqual(parseFwknopProfile(formatFwknopProfile(each)), each);
      const whole = { ...each, source };
      t.deepEqual(parseFwknopProfile(formatFwknopProfile(whole)), whole);
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
    '62201 sha256 base64:AA== base64:AA== 2001:db8::1',
    '62201 sha256 base64:AA== base64:AA== any more',
  ]) {
    t.is(parseFwknopProfile(line), null, line);
  }
});
