import test from 'ava';
import { WaitingLine } from '../../../src/guard/waiting-line.ts';

function drain<T>(line: WaitingLine<T>): T[] {
  const items: T[] = [];
  for (let next = line.shift(); next !== null; next = line.shift()) items.push(next);
  return items;
}

test('one source is served in the order of its arrivals', (t) => {
  const line = new WaitingLine<number>(8);
  for (const item of [1, 2, 3]) t.is(line.push('a', item), null);
  t.is(line.size, 3);
  t.deepEqual(drain(line), [1, 2, 3]);
  t.is(line.size, 0);
  t.is(line.shift(), null);
});

test('sources take turns', (t) => {
  const line = new WaitingLine<string>(16);
  for (const item of ['a1', 'a2', 'a3']) line.push('a', item);
  line.push('b', 'b1');
  line.push('c', 'c1');
  line.push('b', 'b2');
  t.deepEqual(drain(line), ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
});

test('a full line drops the oldest of who floods, and nobody else (T-08)', (t) => {
  const line = new WaitingLine<string>(4);
  line.push('honest', 'h1');
  const dropped = Array.from({ length: 1000 }, (_, i) => line.push('flood', `f${String(i)}`));
  t.deepEqual(dropped.slice(0, 3), [null, null, null]);
  t.deepEqual(
    dropped.slice(3),
    Array.from({ length: 997 }, (_, i) => `f${String(i)}`),
  );
  t.is(line.push('other', 'o1'), 'f997');
  t.is(line.size, 4);
  t.deepEqual(drain(line), ['h1', 'f998', 'o1', 'f999']);
});

test('when all have as many, one that came before goes, so that it stays bounded', (t) => {
  const line = new WaitingLine<number>(3);
  const dropped = Array.from({ length: 100 }, (_, i) => line.push(String(i), i));
  t.is(dropped.filter((each) => each !== null).length, 97);
  t.is(line.size, 3);
});
