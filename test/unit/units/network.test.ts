import test from 'ava';
import fc from 'fast-check';
import { HknockError } from '../../../src/errors/hknock-error.ts';
import {
  formatEndpoint,
  formatServicePort,
  type IpAddress,
  isPort,
  parseServicePort,
} from '../../../src/units/network.ts';

test('a port is a whole number from 1 to 65535', (t) => {
  for (const port of [1, 22, 65_535]) t.true(isPort(port));
  for (const port of [0, -1, 65_536, 1.5, NaN, Infinity]) t.false(isPort(port));
});

test('every protocol and port is read back from its text', (t) => {
  const protocols = fc.constantFrom('tcp', 'udp');
  fc.assert(
    fc.property(protocols, fc.integer({ min: 1, max: 65_535 }), (protocol, port) => {
      const text = `${protocol}/${String(port)}`;
      const parsed = parseServicePort(text);
      t.like(parsed, { protocol, port });
      t.is(formatServicePort(parsed), text);
    }),
  );
});

const wrong = [
  '',
  '22',
  'tcp',
  'tcp/',
  'tcp/0',
  'tcp/65536',
  'tcp/022',
  'tcp/+22',
  'tcp/0x16',
  'tcp/2 2',
];

for (const text of [
  ...wrong,
  'TCP/22',
  'sctp/22',
  'tcp:22',
  'tcp/22\n',
  ' tcp/22',
  'tcp/22-23',
  'tcp/1e3',
]) {
  test(`${JSON.stringify(text)} is not a protocol and port`, (t) => {
    t.is(t.throws(() => parseServicePort(text), { instanceOf: HknockError }).code, 'usage');
  });
}

test('an IPv6 endpoint is written in brackets', (t) => {
  t.is(formatEndpoint({ address: '192.0.2.1' as IpAddress, port: 62_202 }), '192.0.2.1:62202');
  t.is(formatEndpoint({ address: '2001:db8::1' as IpAddress, port: 1 }), '[2001:db8::1]:1');
});
