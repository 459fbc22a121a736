import test from 'ava';
import { parseEndpoint } from '../../../src/config/endpoint.ts';
import { formatEndpoint } from '../../../src/units/network.ts';
import { faultOf } from '../store/scratch.ts';

for (const [text, canonical] of [
  ['0.0.0.0:62202', '0.0.0.0:62202'],
  ['[::]:1', '[::]:1'],
  ['[2001:DB8:0::1]:65535', '[2001:db8::1]:65535'],
  ['[::ffff:192.0.2.1]:80', '192.0.2.1:80'],
] as const) {
  test(`${text} is an endpoint`, (t) => {
    t.is(formatEndpoint(parseEndpoint(text)), canonical);
  });
}

for (const text of [
  '',
  '0.0.0.0',
  ':1',
  '0.0.0.0:',
  '0.0.0.0:0',
  '0.0.0.0:01',
  '0.0.0.0:65536',
  '0.0.0.0:1 ',
  '1.2.3:1',
  '::1:1',
  '[::1]',
  '[::1%lo]:1',
  'localhost:1',
]) {
  test(`${JSON.stringify(text)} is no endpoint`, async (t) => {
    t.is((await faultOf(() => parseEndpoint(text))).code, 'usage');
  });
}
