import test from 'ava';
import fc from 'fast-check';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import type { LogFields } from '../../../src/host/log.ts';
import { createLog, type LogOptions } from '../../../src/server/log.ts';

const noon = Date.parse('2026-01-31T12:00:00.000Z');

function lineOf(fields: LogFields): string {
  const lines: string[] = [];
  const clock = new FakeClock(noon);
  createLog({ clock, level: 'debug', write: (line) => lines.push(line()) }).info('event', fields);
  return lines.join('');
}

test('a line says when, how bad, what, and its fields', (t) => {
  t.is(
    lineOf({ peer: 'alice@home', source: '2001:db8::1', port: 22, behindNat: true }),
    '2026-01-31T12:00:00.000Z info event peer=alice@home source=2001:db8::1 port=22 behindNat=true\n',
  );
});

test('fields without a value are left out', (t) => {
  t.is(
    lineOf({ a: null, b: undefined, c: 0, d: false }),
    '2026-01-31T12:00:00.000Z info event c=0 d=false\n',
  );
});

test('what is no plain word is written as a JSON string', (t) => {
  t.true(lineOf({ a: 'two words' }).endsWith(' a="two words"\n'));
  t.true(lineOf({ a: '' }).endsWith(' a=""\n'));
  t.true(lineOf({ a: 'x" level=error' }).endsWith(' a="x\\" level=error"\n'));
});

test('nothing in a value can end the line, move the cursor or pass for another field', (t) => {
  const nasty = fc.string({ unit: fc.nat(0x3000).map((code) => String.fromCharCode(code)) });
  const property = fc.property(nasty, (value) => {
    const line = lineOf({ value });
    const [, text = ''] = / event value=(.*)\n$/s.exec(line) ?? [];
    // eslint has an opinion on control characters in expressions, so by number
    const codes = [...line.slice(0, -1)].map((each) => each.charCodeAt(0));
    t.false(codes.some((code) => code < 0x20 || (code >= 0x7f && code < 0xa0)));
    t.false(codes.some((code) => code === 0x2028 || code === 0x2029));
    t.is(text.startsWith('"') ? (JSON.parse(text) as string) : text, value);
    t.true(text.startsWith('"') || !/[\s=]/.test(text));
  });
  fc.assert(property, { examples: [['\n'], ['\u001b[2J'], ['\u009b'], ['\u2028'], ['a b=c']] });
});

for (const [level, expected] of [
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['info', ['info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['error', ['error']],
] as const satisfies readonly [LogOptions['level'], readonly string[]][]) {
  test(`level ${level} lets through ${expected.join(', ')}`, (t) => {
    const lines: string[] = [];
    const write = (line: () => string): void => void lines.push(line());
    const log = createLog({ clock: new FakeClock(), level, write });
    for (const each of ['debug', 'info', 'warn', 'error'] as const) log[each]('event');
    t.deepEqual(
      lines.map((line) => line.split(' ')[1]),
      expected,
    );
  });
}
