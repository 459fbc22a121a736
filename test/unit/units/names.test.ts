import test from 'ava';
import { HknockError } from '../../../src/errors/hknock-error.ts';
import { isServiceName, parsePeerName, parseServiceName } from '../../../src/units/names.ts';

for (const name of ['a', '0', 'ssh', 'web-admin', '3d', 'a-', 'a'.repeat(32)]) {
  test(`'${name}' can be a service's name`, (t) => {
    t.true(isServiceName(name));
    t.is<string, string>(parseServiceName(name), name);
  });
}

const oddNames = [
  '',
  ' ',
  'a b',
  'a\n',
  '\na',
  'a\0',
  'é',
  '../etc',
  'a/b',
  'a;b',
  '$(id)',
  '%s',
  '\u202e',
];

for (const name of [...oddNames, '-a', 'SSH', 'a_b', 'a.b', 'a'.repeat(33)]) {
  test(`${JSON.stringify(name)} cannot be a service's name`, (t) => {
    t.false(isServiceName(name));
    const fault = t.throws(() => parseServiceName(name), { instanceOf: HknockError });
    t.is(fault.code, 'usage');
  });
}

for (const name of ['a', 'alice', 'Alice.Smith@laptop-2', '_x', '@x', '0', 'a'.repeat(64)]) {
  test(`'${name}' can be a peer's name`, (t) => {
    t.is<string, string>(parsePeerName(name), name);
  });
}

for (const name of [...oddNames, '.', '..', '.alice', '-alice', 'cert-01', 'a'.repeat(65)]) {
  test(`${JSON.stringify(name)} cannot be a peer's name`, (t) => {
    const fault = t.throws(() => parsePeerName(name), { instanceOf: HknockError });
    t.is(fault.code, 'usage');
  });
}
