import test from 'ava';
import {
  formatSequenceShape,
  parsePortRange,
  parseSequenceShape,
} from '../../../src/units/sequence-shape.ts';

for (const text of ['tcp:20000-32767:6', 'udp:1-65535:16', 'tcp:40000-41023:4']) {
  test(`${text} is a shape and is written as it is read`, (t) => {
    const shape = parseSequenceShape(text);
    t.is(shape && formatSequenceShape(shape), text);
  });
}

for (const text of [
  '',
  'tcp:20000-32767',
  'icmp:20000-32767:6',
  'tcp:20000-32767:3',
  'tcp:20000-32767:17',
  'tcp:20000-32767:06',
  'tcp:20000-32767:6:',
  'tcp:20000-70000:6',
  'tcp:0-32767:6',
  'tcp:40000-41022:4',
]) {
  test(`'${text}' is none`, (t) => {
    t.is(parseSequenceShape(text), null);
  });
}

test('a range may be one port, and does not go backwards', (t) => {
  t.deepEqual(parsePortRange('7-7'), { first: 7, last: 7 } as never);
  t.is(parsePortRange('8-7'), null);
});
