import test from 'ava';
import {
  guessesADay,
  guessingOdds,
  liveNumbers,
  TOLERATED_ODDS,
} from '../../../src/silent/odds.ts';

const hashed = { slots: 4, hasTcpStealth: false };

test('three steps of every slot are live', (t) => {
  t.is(liveNumbers(1, hashed), 12);
  t.is(liveNumbers(10_000, hashed), 120_000);
  t.is(liveNumbers(10_000, { ...hashed, hasTcpStealth: true }), 130_000);
});

test('in a day the limit is passed by one each hour, and one more', (t) => {
  t.is(guessesADay(300), 325);
});

test('one peer with the default limit is within what is tolerated, two are not', (t) => {
  const odds = (peers: number): number =>
    guessingOdds(liveNumbers(peers, hashed), guessesADay(300));
  t.true(odds(1) <= TOLERATED_ODDS);
  t.true(odds(2) > TOLERATED_ODDS);
  t.is(odds(1), (12 * 325) / 2 ** 32);
});

test('odds are at most 1', (t) => {
  t.is(guessingOdds(1_000_000, 1_000_000), 1);
  t.is(guessingOdds(0, 1_000_000), 0);
});
