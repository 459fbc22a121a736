import test from 'ava';
import fc from 'fast-check';
import { HknockError } from '../../../src/errors/hknock-error.ts';
import {
  type DurationMs,
  formatDuration,
  later,
  type MonotonicMs,
  parseDuration,
} from '../../../src/units/time.ts';

const durations = { '0ms': 0, '250ms': 250, '30s': 30_000, '5m': 300_000, '2h': 7_200_000 };

for (const [text, ms] of Object.entries(durations)) {
  test(`${text} is ${String(ms)} ms, and is written so`, (t) => {
    t.is(parseDuration(text), ms as DurationMs);
    t.is(formatDuration(ms as DurationMs), text);
  });
}

const wrong = [
  '',
  '5',
  's',
  '-5s',
  '+5s',
  '5 s',
  ' 5s',
  '5s\n',
  '1.5s',
  '1e3s',
  '5S',
  '5d',
  '5sec',
  '1h30m',
  '٣s',
];

for (const text of [...wrong, '1000000000s']) {
  test(`${JSON.stringify(text)} is not a duration`, (t) => {
    t.like(
      t.throws(() => parseDuration(text), { instanceOf: HknockError }),
      { code: 'usage' },
    );
  });
}

test('every duration is read back from its text', (t) => {
  const milliseconds = fc.oneof(
    fc.nat(999_999_999),
    fc.nat(999_999).map((seconds) => seconds * 1000),
    fc.nat(99_999).map((minutes) => minutes * 60_000),
  );
  fc.assert(
    fc.property(milliseconds, (ms) => {
      t.is(parseDuration(formatDuration(ms as DurationMs)), ms as DurationMs);
    }),
  );
});

test('later is later', (t) => {
  t.is(later(1_000 as MonotonicMs, 500), 1_500 as MonotonicMs);
});
