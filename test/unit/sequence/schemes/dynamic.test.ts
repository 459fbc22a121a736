import test from 'ava';
import { dynamicHits, type DynamicSettings } from '../../../../src/sequence/schemes/dynamic.ts';
import type { Call } from '../../../../src/sequence/scheme.ts';
import { parseServicePort, type IpAddress, type Port } from '../../../../src/units/network.ts';
import type { DurationMs } from '../../../../src/units/time.ts';
import { faultOf } from '../../store/scratch.ts';

const settings: DynamicSettings = {
  protocol: 'tcp',
  first: 100 as Port,
  last: 109 as Port,
  header: [2, 0, 3],
  footer: [3, 0, 2],
  digits: 4,
  lifetimeMs: null,
};

const port = parseServicePort('tcp/143');

for (const [what, call] of [
  ['no port', { action: 'open' }],
  ['a UDP port', { action: 'open', port: parseServicePort('udp/143') }],
  ['a port of five digits', { action: 'open', port: parseServicePort('tcp/10000') }],
  ['a ban', { action: 'ban', port }],
  ['to close for certain', { action: 'close', port }],
  ['another address', { action: 'open', port, address: '192.0.2.8' as IpAddress }],
  ['a time', { action: 'open', port, lifetimeMs: 60_000 as DurationMs }],
] satisfies (readonly [string, Call])[]) {
  test(`${what} is nothing that ten ports can say`, async (t) => {
    t.is((await faultOf(() => dynamicHits(settings, call))).code, 'usage');
  });
}
