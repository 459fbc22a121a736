import test from 'ava';
import { parseSignature } from '../../../../src/sequence/fingerprint.ts';
import {
  fwknopSharedHits,
  FwknopSharedScheme,
  type FwknopSharedSettings,
} from '../../../../src/sequence/schemes/fwknop-shared.ts';
import type { Heard } from '../../../../src/sequence/tracker.ts';
import { parsePeerName, parseServiceName } from '../../../../src/units/names.ts';
import type { DurationMs, MonotonicMs } from '../../../../src/units/time.ts';
import { faultOf } from '../../store/scratch.ts';
import { trailOf } from './trails.ts';

/** The article's. */
const settings: FwknopSharedSettings = {
  service: parseServiceName('ssh'),
  sequence: [
    { protocol: 'tcp', port: 50_053 },
    { protocol: 'udp', port: 6020 },
    { protocol: 'icmp', port: 0 },
    { protocol: 'icmp', port: 0 },
    { protocol: 'tcp', port: 24_034 },
    { protocol: 'udp', port: 9680 },
  ],
  minDelayMs: null,
  maxDelayMs: null,
  systems: null,
  lifetimeMs: 30_000 as DurationMs,
};

const knocks = ['tcp/50053', 'udp/6020', 'icmp/0', 'icmp/0', 'tcp/24034', 'udp/9680'];

const context = {
  name: 'door',
  peer: parsePeerName('alice'),
  serviceOf: () => null,
  latestOf: () => null,
};

function judge(trail: readonly Heard[], changed: Partial<FwknopSharedSettings> = {}) {
  return new FwknopSharedScheme({ ...settings, ...changed }, context).judge(trail);
}

test('the article’s sequence opens', (t) => {
  t.like(judge(trailOf(knocks)), {
    action: { kind: 'open' },
    peer: 'alice',
    service: 'ssh',
    lifetimeMs: 30_000,
  });
});

for (const [what, packets] of [
  ['an echo request less', knocks.filter((_, at) => at !== 3)],
  ['an echo request more', knocks.toSpliced(3, 0, 'icmp/0')],
  ['another order', [...knocks].reverse()],
  ['another protocol', knocks.with(4, 'udp/24034')],
  ['nothing', []],
] as const) {
  test(`${what}: no knock`, (t) => {
    t.is(judge(trailOf(packets)), null);
  });
}

/** The knocks so many milliseconds one after the other. */
const paced = (gapMs: number): readonly Heard[] =>
  trailOf(knocks).map((each, n) => ({ ...each, at: (n * gapMs) as MonotonicMs }));

test('with delays each knock must come neither too soon nor too late', (t) => {
  const delays = { minDelayMs: 3000 as DurationMs, maxDelayMs: 6000 as DurationMs };
  for (const [gapMs, counts] of [
    [2999, false],
    [3000, true],
    [6000, true],
    [6001, false],
  ] as const) {
    t.is(judge(paced(gapMs), delays) !== null, counts, String(gapMs));
  }
  const late = paced(4000).map((each, n) =>
    n === 5 ? { ...each, at: 23_000 as MonotonicMs } : each,
  );
  t.is(judge(late, delays), null);
  t.is(new FwknopSharedScheme({ ...settings, ...delays }, context).windowMs, 36_000 as DurationMs);
});

test('with signatures all TCP knocks must be of one of them', (t) => {
  const signature = parseSignature('*:64:1:60:M*');
  const systems = signature && [signature];
  const options = Uint8Array.of(2, 4, 5, 180);
  const syn = { window: 64_240, dontFragment: true, length: 60, options };
  const own = trailOf(knocks).map((each) =>
    each.protocol === 'tcp' ? { ...each, ttl: 57, syn } : each,
  );
  t.truthy(judge(own, { systems }));
  t.is(judge(trailOf(knocks), { systems }), null);
  const other = { ...syn, length: 48 };
  t.is(
    judge(
      own.map((each, at) => (at === 4 ? { ...each, syn: other } : each)),
      { systems },
    ),
    null,
  );
});

test('a client keeps to the delays, and can say no more than to open', async (t) => {
  t.deepEqual(fwknopSharedHits(settings, { action: 'open' }), settings.sequence);
  const delays = { minDelayMs: 3000 as DurationMs, maxDelayMs: 6000 as DurationMs };
  t.deepEqual(
    fwknopSharedHits({ ...settings, ...delays }, { action: 'open' }).map(({ delayMs }) => delayMs),
    [undefined, 3200, 3200, 3200, 3200, 3200],
  );
  for (const wrong of [
    { action: 'ban' },
    { action: 'open', lifetimeMs: 1000 as DurationMs },
  ] as const) {
    t.is((await faultOf(() => fwknopSharedHits(settings, wrong))).code, 'usage');
  }
});
