import test from 'ava';
import fc from 'fast-check';
import { EPOCH_MS, RotatingSecret } from '../../../src/crypto/rotating-secret.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import type { MonotonicMs } from '../../../src/units/time.ts';

const data = Uint8Array.of(1, 2, 3);

function secretsOf(secret: RotatingSecret) {
  return (madeAt: number, now: number): Uint8Array | null =>
    secret.at(madeAt as MonotonicMs, now as MonotonicMs)?.of(data) ?? null;
}

test('one secret for a whole epoch, known for the next one, then gone', (t) => {
  const at = secretsOf(new RotatingSecret(new FakeEntropy()));
  const first = at(0, 0);
  t.truthy(first);
  t.deepEqual(at(EPOCH_MS - 1, EPOCH_MS - 1), first);
  t.deepEqual(at(EPOCH_MS - 1, EPOCH_MS), first);
  t.deepEqual(at(0, 2 * EPOCH_MS - 1), first);
  t.is(at(EPOCH_MS - 1, 2 * EPOCH_MS), null);
});

test('each epoch draws anew', (t) => {
  const at = secretsOf(new RotatingSecret(new FakeEntropy()));
  const drawn = [0, 1, 2, 3].map((epoch) => String(at(epoch * EPOCH_MS, epoch * EPOCH_MS)));
  t.is(new Set(drawn).size, 4);
});

test('an epoch in which nothing was made has no secret to find', (t) => {
  const at = secretsOf(new RotatingSecret(new FakeEntropy()));
  t.truthy(at(0, 0));
  t.is(at(2 * EPOCH_MS, 3 * EPOCH_MS), null);
  t.is(at(0, 3 * EPOCH_MS), null);
});

test('T-15: nothing of before the start and nothing from the future', (t) => {
  const at = secretsOf(new RotatingSecret(new FakeEntropy()));
  const now = 10 * EPOCH_MS;
  t.is(at(now - 1, now), null);
  t.is(at(now + EPOCH_MS, now), null);
  t.is(at(2 ** 64, now), null);
});

// what a forged issue time can ask for must never bring an old secret back or draw another
test('asking changes nothing that is found later in the epoch', (t) => {
  const asked = fc.array(fc.oneof(fc.nat(20 * EPOCH_MS), fc.constantFrom(-1, 2 ** 53, 2 ** 64)));
  fc.assert(
    fc.property(asked, (times) => {
      const at = secretsOf(new RotatingSecret(new FakeEntropy()));
      const now = 10 * EPOCH_MS;
      const previous = at(now - 1, now - 1);
      const current = at(now, now);
      for (const time of times) at(time, now);
      t.deepEqual(at(now, now), current);
      t.deepEqual(at(now - 1, now), previous);
    }),
  );
});
