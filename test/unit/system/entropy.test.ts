import test from 'ava';
import { createSystemEntropy } from '../../../src/system/entropy.ts';

test('gives as many bytes as asked for, within the pool and beyond', (t) => {
  const entropy = createSystemEntropy();
  for (const length of [0, 1, 24, 4095, 4096, 4097, 100_000]) {
    t.is(entropy.bytes(length).length, length);
  }
});

test('never gives the same bytes twice, across many refills', (t) => {
  const entropy = createSystemEntropy();
  const seen = new Set<string>();
  for (let i = 0; i < 10_000; i++) seen.add(Buffer.from(entropy.bytes(24)).toString('hex'));
  t.is(seen.size, 10_000);
});

test('never gives a byte that was wiped', (t) => {
  const entropy = createSystemEntropy();
  for (const length of [4000, 24, 96, 97, 4096, 16]) {
    const zeros = entropy.bytes(length).filter((byte) => byte === 0).length;
    t.true(zeros < 8 + length / 32, `${String(zeros)} zeros in ${String(length)} bytes`);
  }
});

test('the bytes are the caller’s own: they stay as they are and reach no other', (t) => {
  const entropy = createSystemEntropy();
  const first = entropy.bytes(24);
  const copy = first.slice();
  const second = entropy.bytes(24);
  t.deepEqual(first, copy);
  t.not(first.buffer, second.buffer);
  t.is(first.buffer.byteLength, 24);
});
