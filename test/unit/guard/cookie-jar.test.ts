import test from 'ava';
import { EPOCH_MS } from '../../../src/crypto/rotating-secret.ts';
import { COOKIE_LENGTH, CookieJar, type CookieInput } from '../../../src/guard/cookie-jar.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import type { MonotonicMs } from '../../../src/units/time.ts';

const issuedAt = (5 * EPOCH_MS) as MonotonicMs;
const statement = Uint8Array.from({ length: 126 }, (_, i) => i);
const input: CookieInput = {
  tag: Uint8Array.from({ length: 8 }, (_, i) => i),
  statement: [statement.subarray(0, 24), statement.subarray(24)],
  issuedAt,
};

test('knows its own cookie, and keeps nothing to do so', (t) => {
  const jar = new CookieJar(new FakeEntropy());
  const cookie = jar.create(input);
  t.is(cookie.length, COOKIE_LENGTH);
  t.true(jar.verify(cookie, input, issuedAt));
  t.true(jar.verify(cookie, input, (issuedAt + EPOCH_MS) as MonotonicMs));
  t.true(jar.verify(cookie, input, (issuedAt + EPOCH_MS) as MonotonicMs), 'a second time as well');
});

test('T-05: no bit of cookie, tag or statement may differ', (t) => {
  const jar = new CookieJar(new FakeEntropy());
  const cookie = jar.create(input);
  const flips = (bytes: Uint8Array): Uint8Array[] =>
    Array.from({ length: 8 * bytes.length }, (_, bit) =>
      bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
    );
  for (const other of flips(cookie)) t.false(jar.verify(other, input, issuedAt));
  for (const tag of flips(input.tag)) t.false(jar.verify(cookie, { ...input, tag }, issuedAt));
  t.true(jar.verify(cookie, { ...input, statement: [statement] }, issuedAt));
  for (const other of flips(statement)) {
    t.false(jar.verify(cookie, { ...input, statement: [other] }, issuedAt));
  }
});

test('a part of a cookie is no cookie', (t) => {
  const jar = new CookieJar(new FakeEntropy());
  const cookie = jar.create(input);
  for (let length = 0; length < COOKIE_LENGTH; length++) {
    t.false(jar.verify(cookie.subarray(0, length), input, issuedAt));
  }
});

test('T-15: forgets after the next epoch, and at a restart', (t) => {
  const jar = new CookieJar(new FakeEntropy(1));
  const cookie = jar.create(input);
  t.false(new CookieJar(new FakeEntropy(2)).verify(cookie, input, issuedAt));
  t.false(jar.verify(cookie, input, (issuedAt + 2 * EPOCH_MS) as MonotonicMs));
});

test('T-15: the time says which secret to use, and no other will do', (t) => {
  const jar = new CookieJar(new FakeEntropy());
  const cookie = jar.create(input);
  const now = (issuedAt + EPOCH_MS) as MonotonicMs;
  t.false(jar.verify(cookie, { ...input, issuedAt: now }, now));
});
