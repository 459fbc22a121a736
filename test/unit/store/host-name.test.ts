import test from 'ava';
import { parseHost } from '../../../src/store/host-name.ts';

const hosts: readonly (readonly [string, string | null])[] = [
  ['vpn.example.org', 'vpn.example.org'],
  ['VPN.Example.ORG.', 'vpn.example.org'],
  ['localhost', 'localhost'],
  ['my_host-2', 'my_host-2'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['192.0.2.1', '192.0.2.1'],
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['', null],
  ['.', null],
  ['a..b', null],
  ['-a', null],
  ['a-', null],
  ['192.0.2', null],
  ['192.0.2.256', null],
  ['host.123', null],
  ['fe80::1%eth0', null],
  ['[::1]', null],
  ['a b', null],
  ['a/b', null],
  ['a:22', null],
  ['b\u00FCcher.example', null],
  ['a\n', null],
  ['a'.repeat(63), 'a'.repeat(63)],
  ['a'.repeat(64), null],
  [`${'a.'.repeat(126)}a`, `${'a.'.repeat(126)}a`],
  [`${'a.'.repeat(127)}a`, null],
];

for (const [text, expected] of hosts) {
  test(`${JSON.stringify(text.slice(0, 40))} (${String(text.length)}) is ${expected === null ? 'no host' : 'a host'}`, (t) => {
    t.is(parseHost(text), expected);
  });
}
