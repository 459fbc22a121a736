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

test('those who share a root come to the same secrets by themselves, whenever they begin', (t) => {
  const root = new FakeEntropy(7).bytes(32);
  const one = secretsOf(new RotatingSecret(new FakeEntropy(1), root));
  const other = secretsOf(new RotatingSecret(new FakeEntropy(2), root));
  const secrets = [0, 1, 2, 5].map((epoch) => one(epoch * EPOCH_MS, epoch * EPOCH_MS));
  t.is(new Set(secrets.map(String)).size, 4);
  const now = 5 * EPOCH_MS;
  t.deepEqual(other(now, now), secrets[3] ?? null);
  t.deepEqual(
    other(now - 1, now),
    one(now - 1, now),
    'that of the last epoch, in which neither made one',
  );
  t.truthy(other(now - 1, now));
  t.is(other(now - EPOCH_MS - 1, now), null);
  t.is(secretsOf(new RotatingSecret(new FakeEntropy(), root))(-1, 0), null);
  const stranger = secretsOf(new RotatingSecret(new FakeEntropy(1), new FakeEntropy(8).bytes(32)));
  t.notDeepEqual(stranger(now, now), secrets[3] ?? null);
});
