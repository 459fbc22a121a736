import test from 'ava';
import { Overload } from '../../../src/guard/overload.ts';
import { at } from '../../sim/exchange.ts';

/** Looks ten times a second: for each word so many looks alike. */
function lookingAt(overload: Overload) {
  let now = 0;
  return (busy: number, looks: number, turnedAway = 0): readonly (string | null)[] =>
    Array.from({ length: looks }, () => overload.look({ busy, turnedAway, now: at((now += 100)) }));
}

test('begins when there was nothing but work twice in a row, and not at a spike', (t) => {
  const overload = new Overload();
  const look = lookingAt(overload);
  t.deepEqual([...look(0.95, 1), ...look(0.5, 1), ...look(0.95, 1)], [null, null, null]);
  t.false(overload.isOn);
  t.deepEqual(look(0.95, 2), ['began', null]);
  t.true(overload.isOn);
});

test('ends when it has been calm for two seconds, and not before', (t) => {
  const overload = new Overload();
  const look = lookingAt(overload);
  look(1, 2);
  t.deepEqual(new Set(look(0.3, 20)), new Set([null]));
  t.deepEqual(look(0.7, 1), [null], 'busier than that begins the time anew');
  t.deepEqual(new Set(look(0.3, 20)), new Set([null]));
  t.deepEqual(look(0.3, 1), ['ended']);
  t.false(overload.isOn);
  t.deepEqual(look(0.8, 100).filter(Boolean), [], 'between the marks all stays as it is');
});

test('does not end while somebody is turned away, however little work that leaves', (t) => {
  const overload = new Overload();
  const look = lookingAt(overload);
  look(1, 2);
  t.deepEqual(look(0.1, 1000, 5).filter(Boolean), []);
  t.deepEqual(look(0.1, 21).filter(Boolean), ['ended']);
});

test('says each change once', (t) => {
  const overload = new Overload();
  const look = lookingAt(overload);
  const said = Array.from({ length: 3 }, () => [...look(1, 50), ...look(0, 50)]).flat();
  t.deepEqual(said.filter(Boolean), ['began', 'ended', 'began', 'ended', 'began', 'ended']);
});

test('gives the crowd less while there is too much still, and more again when there is time', (t) => {
  const overload = new Overload();
  const look = lookingAt(overload);
  look(1, 2);
  t.is(overload.share, 1);
  look(1, 3);
  t.is(overload.share, 1 / 8);
  look(1, 50);
  t.is(overload.share, 1 / 32, 'never nothing');
  look(0.75, 5, 1);
  t.is(overload.share, 1 / 32);
  look(0.3, 50, 1);
  t.is(overload.share, 1);
});
