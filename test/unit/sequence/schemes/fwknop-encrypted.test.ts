import test from 'ava';
import type { Hit } from '../../../../src/sequence/scheme.ts';
import {
  fwknopEncryptedHits,
  FwknopEncryptedScheme,
  type FwknopEncryptedSettings,
} from '../../../../src/sequence/schemes/fwknop-encrypted.ts';
import { parsePeerName, parseServiceName } from '../../../../src/units/names.ts';
import { type IpAddress, parseServicePort } from '../../../../src/units/network.ts';
import type { DurationMs } from '../../../../src/units/time.ts';
import { faultOf } from '../../store/scratch.ts';
import { trailOf } from './trails.ts';

const settings: FwknopEncryptedSettings = {
  key: new Uint8Array(16).fill(7),
  user: 'mbr',
  firstPort: 61_000,
  lifetimeMs: 30_000 as DurationMs,
};

const port = parseServicePort('tcp/22');
const address = '192.168.10.2' as IpAddress;
const call = { action: 'open', port, address } as const;

const context = {
  name: 'door',
  peer: parsePeerName('alice'),
  latestOf: () => null,
  serviceOf: ({ port: wanted }: typeof port) => (wanted === 22 ? parseServiceName('ssh') : null),
};

const asText = (hits: readonly Hit[]): readonly string[] =>
  hits.map((hit) => `${hit.protocol}/${String(hit.port)}`);

function judge(packets: readonly string[], changed: Partial<FwknopEncryptedSettings> = {}) {
  return new FwknopEncryptedScheme({ ...settings, ...changed }, context).judge(trailOf(packets));
}

const knocks = asText(fwknopEncryptedHits(settings, call));

test('opens the port in it for the address in it, from wherever it comes', (t) => {
  t.is(knocks.length, 16);
  t.like(judge(knocks), {
    action: { kind: 'open' },
    peer: 'alice',
    service: 'ssh',
    port,
    address,
    lifetimeMs: 30_000,
  });
  t.is(judge(knocks)?.used.length, 16);
});

test('any one port that is another: no knock', (t) => {
  for (let at = 0; at < knocks.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const spoiled = fwknopEncryptedHits(settings, call).map((hit, n) =>
        n === at ? { ...hit, port: 61_000 + ((hit.port - 61_000) ^ (1 << bit)) } : hit,
      );
      t.is(judge(asText(spoiled)), null);
    }
  }
});

for (const [what, packets] of [
  ['one missing', knocks.slice(1)],
  [
    'two of them the other way round',
    [...knocks.slice(1, 2), ...knocks.slice(0, 1), ...knocks.slice(2)],
  ],
  ['one too many in between', [...knocks.slice(0, 8), 'udp/61000', ...knocks.slice(8)]],
  ['all by TCP', knocks.map((each) => each.replace('udp', 'tcp'))],
  ['nothing', []],
] as const) {
  test(`${what}: no knock`, (t) => {
    t.is(judge(packets), null);
  });
}

test('packets to other ports do not matter, and neither does what came before', (t) => {
  t.truthy(judge(['tcp/61000', ...knocks.slice(0, 8), 'tcp/7000', ...knocks.slice(8)]));
});

test('another key, another user, a longer name of it, and a port of no service: no knock', (t) => {
  t.is(judge(knocks, { key: new Uint8Array(16) }), null);
  t.is(judge(knocks, { user: 'mb' }), null);
  t.is(judge(knocks, { user: 'mbrr' }), null);
  const other = fwknopEncryptedHits(settings, { ...call, port: parseServicePort('tcp/23') });
  t.is(judge(asText(other)), null);
});

test('a client must say whom to let in and where, and can say no more', async (t) => {
  for (const wrong of [
    { action: 'open', port },
    { action: 'open', address },
    { ...call, address: '2001:db8::7' as IpAddress },
    { ...call, action: 'close' },
    { ...call, lifetimeMs: 1000 as DurationMs },
  ] as const) {
    t.is((await faultOf(() => fwknopEncryptedHits(settings, wrong))).code, 'usage');
  }
});
