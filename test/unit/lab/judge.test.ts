import test from 'ava';
import { races } from '../../../src/lab/expect.ts';
import { isAsExpected, outcomeOf, trialsFor, worstOf } from '../../../src/lab/judge.ts';
import type { Expectation, Tally } from '../../../src/lab/model.ts';
import { wilson } from '../../../src/lab/wilson.ts';

const tally = (successes: number, trials: number): Tally => ({
  attack: 'some attack',
  successes,
  trials,
});

const race: Expectation = { outcome: 'races', trials: 16, between: { low: 0.2, high: 0.8 } };

test('Wilson’s interval: known values, to four places', (t) => {
  const rounded = (successes: number, trials: number): readonly string[] => {
    const { low, high } = wilson(successes, trials);
    return [low.toFixed(4), high.toFixed(4)];
  };
  t.deepEqual(rounded(0, 10), ['0.0000', '0.2775']);
  t.deepEqual(rounded(10, 10), ['0.7225', '1.0000']);
  t.deepEqual(rounded(5, 10), ['0.2366', '0.7634']);
});

test('a scheme falls to one attack that always succeeds, and races where one does sometimes', (t) => {
  t.is(outcomeOf([tally(0, 1), tally(1, 1)]), 'falls');
  t.is(outcomeOf([tally(0, 16), tally(3, 16)]), 'races');
  t.is(outcomeOf([tally(0, 16), tally(0, 1)]), 'holds');
});

test('the worst is the attack with the best odds', (t) => {
  t.deepEqual(worstOf([tally(1, 16), tally(9, 16), tally(0, 1)])?.tally, tally(9, 16));
  t.is(worstOf([]), null);
});

test('of a race the odds must be possible', (t) => {
  t.true(isAsExpected(race, [tally(8, 16)]));
  t.true(isAsExpected(race, [tally(1, 16)]), 'one in five may be as seldom as this');
  t.false(isAsExpected(race, [tally(0, 16)]));
  t.false(isAsExpected(race, [tally(16, 16)]));
  t.false(isAsExpected(race, []));
});

test('16 trials are the fewest that can tell the race for one connection from none', (t) => {
  t.is(trialsFor(races), 16);
  t.false(isAsExpected(races, [tally(0, 16)]));
  t.true(isAsExpected(races, [tally(0, 15)]));
});

test('what holds or falls must do so', (t) => {
  t.true(isAsExpected({ outcome: 'holds' }, [tally(0, 3)]));
  t.false(isAsExpected({ outcome: 'holds' }, [tally(1, 3)]));
  t.false(isAsExpected({ outcome: 'falls' }, [tally(2, 3)]));
  t.true(isAsExpected({ outcome: 'falls' }, [tally(0, 3), tally(1, 1)]));
  t.false(isAsExpected({ outcome: 'unusable' }, [tally(0, 1)]));
});

test('what is to hold or to race is tried so often, and what is to fall once', (t) => {
  t.is(trialsFor({ outcome: 'holds', trials: 10 }), 10);
  t.is(trialsFor({ outcome: 'holds' }), 1);
  t.is(trialsFor(race), 16);
  t.is(trialsFor({ outcome: 'falls' }), 1);
});
