import test from 'ava';
import { Remembered } from '../../../src/guard/remembered.ts';
import { at } from '../../sim/exchange.ts';

test('remembers for its time', (t) => {
  const remembered = new Remembered(100, 4);
  remembered.add('a', at(0));
  t.true(remembered.has('a', at(99)));
  t.false(remembered.has('a', at(100)));
  t.false(remembered.has('b', at(0)));
  remembered.add('a', at(50));
  t.true(remembered.has('a', at(149)), 'from when it was told last');
});

test('T-09: holds so many and no more; what was told first goes', (t) => {
  const remembered = new Remembered(1e6, 3);
  for (const key of ['a', 'b', 'c', 'a', 'd']) remembered.add(key, at(0));
  t.is(remembered.size, 3);
  t.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => remembered.has(key, at(1))),
    [true, false, true, true],
  );
});
