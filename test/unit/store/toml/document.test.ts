import test from 'ava';
import fc from 'fast-check';
import { HknockError } from '../../../../src/errors/hknock-error.ts';
import { parseToml } from '../../../../src/store/toml/document.ts';
import { findNode, plainValue } from '../../../../src/store/toml/tree.ts';
import { faultOf } from '../scratch.ts';

const source = { file: 'file.toml', code: 'config' } as const;
const parse = (text: string) => parseToml(text, source);

const sample = `top = 1
[a]
b.c = "x" # comment
list = [
  true,
  2.5,
]
[a.d]
e = { f = "y" }
[[many]]
n = 1
[[many]]
n = 2
`;

test('a document becomes plain values', (t) => {
  t.is(
    JSON.stringify(plainValue(parse(sample))),
    '{"top":1,"a":{"b":{"c":"x"},"list":[true,2.5],"d":{"e":{"f":"y"}}},"many":[{"n":1},{"n":2}]}',
  );
});

test('every value knows its line', (t) => {
  const root = parse(sample);
  const lines = (
    [
      ['top'],
      ['a'],
      ['a', 'b', 'c'],
      ['a', 'list'],
      ['a', 'list', 1],
      ['a', 'd', 'e', 'f'],
      ['many', 1],
      ['many', 1, 'n'],
    ] as const
  ).map((path) => findNode(root, path));
  t.deepEqual(
    lines.map(({ node, found }) => [node.line, found]),
    [1, 2, 3, 4, 6, 9, 12, 13].map((line) => [line, true]),
  );
  t.deepEqual(findNode(root, ['a', 'd', 'g', 'h']).node.line, 8);
  t.false(findNode(root, ['a', 'd', 'g', 'h']).found);
});

test('a value knows its place in the text, also behind characters of two code units', (t) => {
  const text = '# \u{1F511} \u00E9\nkey = "value"\n';
  const [from, to] = findNode(parse(text), ['key']).node.range;
  t.is(text.slice(from, to), '"value"');
});

for (const text of [
  '__proto__.bad = 1',
  '[__proto__]\nbad = 1',
  'a = { __proto__ = { bad = 1 } }',
  '[[__proto__]]',
  '"\\u005f_proto__" = 1',
]) {
  test(`no key reaches a prototype: ${JSON.stringify(text)}`, async (t) => {
    t.regex((await faultOf(() => parse(text))).message, /^file\.toml:1: .*__proto__: /);
    t.false('bad' in {});
  });
}

test('a table has no prototype, whatever its keys are named', (t) => {
  const value = plainValue(parse('[constructor.prototype]\nbad = 1'));
  t.false('bad' in {});
  t.is(Object.getPrototypeOf(value), null);
});

test('wrong syntax is told with its line and without a word of the text', async (t) => {
  for (const text of ['a = 1\nsecret = hunter2', 'a = 1\nsecret = "hunter2', 'a = 1\nhunter2']) {
    const fault = await faultOf(() => parse(text));
    t.is(fault.code, 'config');
    t.regex(fault.message, /^file\.toml:2: /);
    t.notRegex(fault.message, /hunter2/);
    t.is(fault.cause, undefined);
  }
});

test('what is nested without end is refused', async (t) => {
  for (const text of [
    `a = ${'['.repeat(50_000)}${']'.repeat(50_000)}`,
    `a = ${'{ b = '.repeat(20)}1${' }'.repeat(20)}`,
    `${'a.'.repeat(20)}b = 1`,
    `[${'a.'.repeat(20)}b]`,
  ]) {
    t.is((await faultOf(() => parse(text))).code, 'config');
  }
});

test('no text does worse than a fault of the file', (t) => {
  const token = fc.constantFrom(
    ...'[]{}=."\'#,\n\r\t +-_:',
    '"""',
    '[[',
    'a',
    'inf',
    '1979-05-27',
    '\\u',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(token).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(text, (content) => {
      try {
        plainValue(parse(content));
      } catch (error) {
        if (!(error instanceof HknockError) || error.code !== 'config') throw error;
      }
    }),
    { numRuns: 2000 },
  );
  t.pass();
});
