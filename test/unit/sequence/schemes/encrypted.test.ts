import test from 'ava';
import fc from 'fast-check';
import type { Call } from '../../../../src/sequence/scheme.ts';
import {
  encryptedHits,
  EncryptedScheme,
  type EncryptedSettings,
} from '../../../../src/sequence/schemes/encrypted.ts';
import { parsePeerName, parseServiceName } from '../../../../src/units/names.ts';
import { parseServicePort, type IpAddress, type Port } from '../../../../src/units/network.ts';
import type { DurationMs } from '../../../../src/units/time.ts';
import { faultOf } from '../../store/scratch.ts';
import { trailOf } from './trails.ts';

const settings: EncryptedSettings = {
  protocol: 'udp',
  first: 745 as Port,
  last: 1000 as Port,
  key: Uint8Array.from({ length: 24 }, (_, n) => 7 * n),
};

const port = parseServicePort('tcp/22');
const address = '192.0.2.7' as IpAddress;

const scheme = new EncryptedScheme(settings, {
  name: 'door',
  peer: parsePeerName('alice'),
  serviceOf: () => parseServiceName('any'),
  latestOf: () => null,
});

const sent = (call: Call): readonly string[] =>
  encryptedHits(settings, call).map((hit) => `${hit.protocol}/${String(hit.port)}`);

for (const [what, call] of [
  ['no port', { action: 'open', address }],
  ['a UDP port', { action: 'open', address, port: parseServicePort('udp/22') }],
  ['no address', { action: 'open', port }],
  ['an IPv6 address', { action: 'open', port, address: '2001:db8::7' as IpAddress }],
  ['half a minute', { action: 'open', port, address, lifetimeMs: 30_000 as DurationMs }],
  ['no time at all', { action: 'open', port, address, lifetimeMs: 0 as DurationMs }],
  [
    '255 minutes, which close',
    { action: 'open', port, address, lifetimeMs: 15_300_000 as DurationMs },
  ],
  ['a ban', { action: 'ban', port, address }],
] satisfies (readonly [string, Call])[]) {
  test(`${what} is nothing that eight ports can say`, async (t) => {
    t.is((await faultOf(() => encryptedHits(settings, call))).code, 'usage');
  });
}

test('whatever address, port and time a client means, the server understands', (t) => {
  const octets = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 });
  const minutes = fc.integer({ min: 1, max: 254 });
  fc.assert(
    fc.property(octets, fc.integer({ min: 1, max: 65_535 }), minutes, (bytes, number, time) => {
      const call = {
        action: 'open',
        address: bytes.join('.') as IpAddress,
        port: { protocol: 'tcp', port: number as Port },
        lifetimeMs: (time * 60_000) as DurationMs,
      } as const;
      const { address: whom, port: what, lifetimeMs } = scheme.judge(trailOf(sent(call))) ?? {};
      t.deepEqual({ action: 'open', address: whom, port: what, lifetimeMs } as unknown, call);
    }),
  );
});

test('one packet that is lost, and one that strayed in between, spoil it', (t) => {
  const packets = sent({ action: 'open', address, port });
  packets.forEach((packet, at) => {
    t.is(scheme.judge(trailOf(packets.toSpliced(at, 1))), null);
    if (at > 0) t.is(scheme.judge(trailOf(packets.toSpliced(at, 0, packet))), null);
  });
});
