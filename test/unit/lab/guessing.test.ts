import test from 'ava';
import { expectedSeconds, type Guessed } from '../../../src/lab/guessing.ts';
import { SYN } from '../../../src/lab/packet.ts';
import {
  formatCount,
  formatSeconds,
  guessRows,
  guessText,
} from '../../../src/lab/report/guesses.ts';
import {
  guessingAtSequences,
  guessingAtTotp,
} from '../../../src/lab/schemes/guessing-at-sequences.ts';
import { parsePortRange } from '../../../src/units/network.ts';

const guessed: Guessed = { guesses: 200, looks: 15, oneIn: 2n ** 32n / 12n, perSecond: 5000 };

test('how long it takes goes by what is sent, and by what the scheme looks at where that is less', (t) => {
  t.is(expectedSeconds({ ...guessed, oneIn: 10_000n }), 2);
  t.is(expectedSeconds({ ...guessed, oneIn: 10n, perDay: 5 }), 2 * 86_400);
  t.is(expectedSeconds({ ...guessed, oneIn: 10_000n, perDay: 86_400 * 10_000 }), 2);
});

test('numbers are told so that they can be read', (t) => {
  const counts = [6n, 1320n, 2n ** 32n / 12n, 2n ** 128n, 2n ** 256n];
  t.deepEqual(counts.map(formatCount), ['6', '1,320', '2^28.4', '2^128', '2^256']);
  const year = 365.25 * 86_400;
  const times = [0.5, 59, 61, 7425, 86_400 * 2.3, year * 33_000, year * 3e26];
  t.deepEqual(times.map(formatSeconds), [
    '0.5 seconds',
    '59 seconds',
    '1 minutes',
    '2.1 hours',
    '2.3 days',
    '33,000 years',
    '10^26 years',
  ]);
});

test('what guessing takes is told of the cells where somebody guessed', (t) => {
  t.deepEqual(guessRows([]), []);
  t.is(
    guessText({ ...guessed, perDay: 30 }),
    'Of 200 guesses the scheme looked at 15 packets. One guess in 2^28.4 lets in: as fast as this, and as the scheme lets them, 33,000 years on average.',
  );
});

const ports = (kind: keyof typeof guessingAtSequences): readonly number[] =>
  guessingAtSequences[kind].guess().map(({ destinationPort }) => destinationPort);

test('guesses at sequences are SYNs to the ports that those are made of', (t) => {
  t.true(guessingAtSequences.totp.guess().every(({ tcp }) => tcp?.flags === SYN));
  const sweep = ports('fixed');
  t.is(new Set(sweep).size, 1000);
  t.notDeepEqual(sweep, sweep.toSorted());
  t.is(new Set(ports('one-time')).size, 6);
  t.regex(ports('dynamic').join(), /^9100,9108,9100,9108,9100,9106(,910\d){5}$/);
  t.like(ports('fwknop-shared'), { 0: 9500, 1: 9500, 2: 9501 });
});

test('the odds at TOTP sequences are those of the specification: six times a window’s, in each of three steps', (t) => {
  const { oneIn, perDay } = guessingAtSequences.totp;
  const ofWindow = ((perDay / 86_400) * 15) / Number(oneIn);
  t.is((ofWindow / (32 / 12_768) ** 6).toFixed(3), '18.000');
});

test('guesses at TOTP sequences go by the configuration: its ports, its limits, and all secrets that are good', (t) => {
  const shape = { protocol: 'udp', ...parsePortRange('30000-31023'), count: 4 } as const;
  const limits = { budget: 64, windowMs: 30_000 };
  const one = guessingAtTotp(shape, { ...limits, secrets: 1 });
  t.is(one.oneIn, (256n ** 4n * 4n ** 3n) / (3n * 64n ** 3n));
  t.is(one.perDay, (64 * 86_400) / 30);
  t.true(
    one.guess().every(({ protocol, destinationPort }) => {
      return protocol === 'udp' && destinationPort >= 30_000 && destinationPort <= 31_023;
    }),
  );
  t.is(guessingAtTotp(shape, { ...limits, secrets: 10 }).oneIn, one.oneIn / 10n);
});
