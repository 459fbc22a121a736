import test from 'ava';
import { flagsNamed, hasFlags, parseTcpFlags } from '../../../src/units/tcp-flags.ts';

for (const [text, mask, value] of [
  ['syn', 0x02, 0x02],
  ['syn,!ack', 0x12, 0x02],
  [' FIN , !ACK ', 0x11, 0x01],
  ['fin,syn,rst,psh,ack,urg', 0x3f, 0x3f],
  ['!syn', 0x02, 0],
] as const) {
  test(`"${text}"`, (t) => {
    t.deepEqual(parseTcpFlags(text), { mask, value });
  });
}

for (const text of [
  '',
  ',',
  'syn,',
  'cwr',
  'syn,syn',
  'syn,!syn',
  '!!syn',
  'constructor',
  'syn ack',
]) {
  test(`"${text}" is no list of flags`, (t) => {
    t.is(parseTcpFlags(text), null);
  });
}

test('a segment has flags when those are set and the others are not', (t) => {
  const flags = { mask: 0x11, value: 0x01 };
  t.deepEqual(
    [0x01, 0x29, 0x11, 0x00].map((each) => hasFlags(each, flags)),
    [true, true, false, false],
  );
});

test('the words of a log', (t) => {
  t.is(
    flagsNamed((word) => ['SYN', 'ACK', 'DF'].includes(word)),
    0x12,
  );
});
