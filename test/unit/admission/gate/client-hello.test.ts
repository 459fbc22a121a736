import test from 'ava';
import fc from 'fast-check';
import { readPskHello } from '../../../../src/admission/gate/client-hello.ts';
import { bytes, readVectors } from '../../../vectors/vector-file.ts';

const right = bytes(readVectors('gate').find(({ name }) => name === 'hello_right')?.said ?? '');

test('every beginning of a right hello asks for more', (t) => {
  for (let length = 0; length < right.length; length++) {
    t.is(readPskHello(right.subarray(0, length)), 'more', String(length));
  }
  t.true(readPskHello(right) instanceof Object);
});

test('one byte more is no hello', (t) => {
  t.is(readPskHello(Uint8Array.of(...right, 0)), null);
});

test('with any bit turned over it is no hello, or one whose binder covers that bit', (t) => {
  const original = readPskHello(right);
  if (original === null || original === 'more') throw new Error('not read');
  for (let bit = 0; bit < right.length * 8; bit++) {
    const bent = Uint8Array.from(right);
    bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const read = readPskHello(bent);
    // the minor version of a record says nothing (RFC 8446, section 5.1)
    if (bit >> 3 === 2) continue;
    t.notDeepEqual(read, original, String(bit));
  }
});

test('no bytes at all make it throw', (t) => {
  const near = fc
    .tuple(fc.nat(right.length - 1), fc.uint8Array({ maxLength: 8 }))
    .map(([at, by]) =>
      Uint8Array.of(...right.subarray(0, at), ...by, ...right.subarray(at + by.length)),
    );
  fc.assert(
    fc.property(fc.oneof(near, fc.uint8Array({ maxLength: 400 })), (said) => {
      readPskHello(said);
    }),
    { numRuns: 2000 },
  );
  t.pass();
});
