import test from 'ava';
import {
  choice,
  decodeToml,
  flag,
  list,
  table,
  tableOf,
  text,
  wholeNumber,
} from '../../../../src/store/toml/fields.ts';
import { faultOf } from '../scratch.ts';

const upper = text('text in capitals', (value) => (value === value.toUpperCase() ? value : null));

const schema = table({
  count: wholeNumber(1, 9).default(5),
  secret: upper.optional(),
  names: list(upper, 'names', [0, 3]).default([]),
  level: choice(['low', 'high']).default('low'),
  on: flag().default(true),
  rooms: tableOf(/^[a-z]+$/, 'a word', table({ width: wholeNumber(1, 9) })).default({}),
});

const source = { file: 'f', code: 'config' } as const;
const decode = (content: string) => decodeToml(content, schema, source).value;

test('what is not said has its default', (t) => {
  t.deepEqual(decode(''), { count: 5, names: [], level: 'low', on: true, rooms: {} });
});

const wrong: readonly (readonly [title: string, content: string, lines: readonly string[]])[] = [
  ['wrong type', 'count = "x"', ['f:1: count: expected a whole number from 1 to 9, got "x"']],
  ['out of bounds', '\ncount = 10', ['f:2: count: expected a whole number from 1 to 9, got 10']],
  ['a fraction', 'count = 1.5', ['f:1: count: expected a whole number from 1 to 9, got 1.5']],
  [
    'no finite number',
    'count = inf',
    ['f:1: count: expected a whole number from 1 to 9, got Infinity'],
  ],
  ['a date', 'level = 1979-05-27', ['f:1: level: expected one of "low", "high", got a date']],
  ['a table', '[count]', ['f:1: count: expected a whole number from 1 to 9, got a table']],
  ['a list', 'on = []', ['f:1: on: expected true or false, got a list']],
  ['no table', 'rooms = 1', ['f:1: rooms: expected a table, got 1']],
  [
    'missing',
    '[rooms.hall]',
    ['f:1: rooms.hall.width: expected a whole number from 1 to 9, got nothing'],
  ],
  ['wrong item', 'names = [\n"A",\n"b"]', ['f:3: names[1]: expected text in capitals, got "b"']],
  ['item twice', 'names = ["A", "A"]', ['f:1: names[1]: expected each item once, got "A"']],
  [
    'too many',
    'names = ["A", "B", "C", "D"]',
    ['f:1: names: expected a list of 0 to 3 names, got a list'],
  ],
  ['near miss', 'cuont = 1', ["f:1: cuont: unknown key, did you mean 'count'?"]],
  [
    'far miss',
    'colour = 1',
    ['f:1: colour: unknown key, expected one of: count, secret, names, level, on, rooms'],
  ],
  ['wrong key', '[rooms.2]', ['f:1: rooms.2: expected a word as its key']],
  [
    'strange key',
    '"a\\nb" = 1',
    ['f:1: "a\\nb": unknown key, expected one of: count, secret, names, level, on, rooms'],
  ],
  [
    'several, in order of lines',
    'on = 1\nrooms.a = {}\nlevle = 1\ncount = 0',
    [
      'f:1: on: expected true or false, got 1',
      'f:2: rooms.a.width: expected a whole number from 1 to 9, got nothing',
      "f:3: levle: unknown key, did you mean 'level'?",
      'f:4: count: expected a whole number from 1 to 9, got 0',
    ],
  ],
];

for (const [title, content, lines] of wrong) {
  test(`${title} is told with file, line, key and what was expected`, async (t) => {
    const fault = await faultOf(() => decode(content));
    t.is(fault.code, 'config');
    t.deepEqual(fault.message.split('\n'), lines);
  });
}

test('a secret is never shown, a long value not in full', async (t) => {
  const secret = await faultOf(() => decode('secret = "hunter2"'));
  t.is(secret.message, 'f:1: secret: expected text in capitals, got text of 7 characters');
  const listed = await faultOf(() => decode('secret = ["hunter2"]'));
  t.notRegex(listed.message, /hunter/);
  const long = await faultOf(() => decode(`level = "${'x'.repeat(1000)}"`));
  t.true(long.message.length < 200);
});

test('ten troubles are told, the others counted', async (t) => {
  const content = Array.from({ length: 25 }, (_, at) => `nobody${String(at)} = 1`).join('\n');
  const lines = (await faultOf(() => decode(content))).message.split('\n');
  t.is(lines.length, 11);
  t.is(lines.at(-1), 'f: and 15 more');
});
