import test from 'ava';
import {
  fixedHits,
  FixedScheme,
  type FixedSettings,
} from '../../../../src/sequence/schemes/fixed.ts';
import { parsePeerName, parseServiceName } from '../../../../src/units/names.ts';
import { parseServicePort } from '../../../../src/units/network.ts';
import { parseTcpFlags } from '../../../../src/units/tcp-flags.ts';
import type { DurationMs } from '../../../../src/units/time.ts';
import { faultOf } from '../../store/scratch.ts';
import { trailOf } from './trails.ts';

const ports = (...texts: readonly string[]) => texts.map(parseServicePort);

/** The three sequences of the article, with the ports that it has. */
const settings: FixedSettings = {
  service: parseServiceName('ssh'),
  open: ports('tcp/31', 'tcp/32', 'tcp/30'),
  close: ports('tcp/32', 'tcp/30', 'tcp/31'),
  ban: ports('tcp/31', 'tcp/30', 'tcp/32'),
  seqTimeoutMs: null,
  lifetimeMs: null,
  banMs: 60_000 as DurationMs,
  flags: null,
};

const context = {
  name: 'door',
  peer: parsePeerName('alice'),
  serviceOf: () => null,
  latestOf: () => null,
};

function judge(packets: readonly string[], changed: Partial<FixedSettings> = {}) {
  return new FixedScheme({ ...settings, ...changed }, context).judge(trailOf(packets));
}

test('each of the three sequences has its action', (t) => {
  t.like(judge(['tcp/31', 'tcp/32', 'tcp/30']), {
    action: { kind: 'open' },
    peer: 'alice',
    service: 'ssh',
  });
  t.like(judge(['tcp/32', 'tcp/30', 'tcp/31']), { action: { kind: 'close' } });
  t.like(judge(['tcp/31', 'tcp/30', 'tcp/32']), { action: { kind: 'ban', banMs: 60_000 } });
});

test('the knocks that made it are used, and no others', (t) => {
  const verdict = judge(['tcp/30', 'tcp/7', 'tcp/31', 'tcp/32', 'tcp/30']);
  t.deepEqual(
    verdict?.used.map(({ sourcePort }) => sourcePort),
    [40_002, 40_003, 40_004],
  );
});

/** All orders of some things. */
function ordersOf<T>(things: readonly T[]): readonly (readonly T[])[] {
  if (things.length === 0) return [[]];
  return things.flatMap((first, at) =>
    ordersOf(things.toSpliced(at, 1)).map((rest) => [first, ...rest]),
  );
}

test('of all orders in which a sweep can hit n ports, (n - k + 1)! knock by the k of them', (t) => {
  const all = ['tcp/1', 'tcp/2', 'tcp/3', 'tcp/4', 'tcp/5', 'tcp/6'];
  const changed = { open: ports('tcp/2', 'tcp/1', 'tcp/3'), close: ports(...all.slice(3)) };
  const opens = (order: readonly string[]): boolean =>
    order.some(
      (_, at) => judge(order.slice(0, at + 1), { ...changed, ban: null })?.action.kind === 'open',
    );
  t.is(ordersOf(all).filter(opens).length, 4 * 3 * 2);
});

for (const [what, packets] of [
  ['another order', ['tcp/30', 'tcp/31', 'tcp/32']],
  ['one missing', ['tcp/31', 'tcp/32']],
  ['one too many of its own in between', ['tcp/31', 'tcp/31', 'tcp/30']],
  ['the other protocol', ['tcp/31', 'udp/32', 'tcp/30']],
  ['a packet to another port behind it', ['tcp/31', 'tcp/32', 'tcp/30', 'tcp/7']],
  ['nothing', []],
] as const) {
  test(`${what}: no knock`, (t) => {
    t.is(judge(packets), null);
  });
}

test('packets to other ports in between do not matter', (t) => {
  t.truthy(judge(['tcp/31', 'tcp/7', 'tcp/32', 'udp/30', 'tcp/30']));
});

test('a wrong beginning does not spoil what comes behind it', (t) => {
  t.truthy(judge(['tcp/31', 'tcp/31', 'tcp/32', 'tcp/30']));
});

test('a port may stand in it twice', (t) => {
  const open = ports('tcp/102', 'tcp/100', 'tcp/100', 'tcp/103');
  t.truthy(judge(['tcp/102', 'tcp/100', 'tcp/100', 'tcp/103'], { open }));
  t.is(judge(['tcp/102', 'tcp/100', 'tcp/103'], { open }), null);
});

test('all packets must come from one address', (t) => {
  const scheme = new FixedScheme(settings, context);
  const trail = [
    ...trailOf(['tcp/31'], { source: '2001:db8::1' }),
    ...trailOf(['tcp/32', 'tcp/30'], { source: '2001:db8::2' }),
  ];
  t.is(scheme.judge(trail), null);
});

test('other flags than a SYN’s, where the scheme wants them', async (t) => {
  const flags = parseTcpFlags('fin,!ack');
  const scheme = new FixedScheme({ ...settings, flags }, context);
  const packets = ['tcp/31', 'tcp/32', 'tcp/30'];
  t.truthy(scheme.judge(trailOf(packets, { flags: 0x01 })));
  t.truthy(scheme.judge(trailOf(packets, { flags: 0x29 })));
  t.is(scheme.judge(trailOf(packets, { flags: 0x11 })), null);
  t.is(scheme.judge(trailOf(packets)), null);
  t.is(
    (await faultOf(() => fixedHits({ ...settings, flags }, { action: 'open' }))).code,
    'usage',
    'a client cannot send them',
  );
  const syn = parseTcpFlags('syn');
  t.is(fixedHits({ ...settings, flags: syn }, { action: 'open' }).length, 3);
});

test('packets with other flags in between do not matter', (t) => {
  const scheme = new FixedScheme(settings, context);
  const trail = [
    ...trailOf(['tcp/31', 'tcp/32']),
    ...trailOf(['tcp/31'], { flags: 0x10 }),
    ...trailOf(['tcp/30']),
  ];
  t.truthy(scheme.judge(trail));
});

test('its time goes into the verdict', (t) => {
  const lifetimeMs = 5000 as DurationMs;
  t.like(judge(['tcp/31', 'tcp/32', 'tcp/30'], { lifetimeMs }), { lifetimeMs });
});

test('it watches each of its ports once, and says when a scan knocks by itself', (t) => {
  const scheme = new FixedScheme(settings, context);
  t.deepEqual(
    scheme.watched.map(({ first, last }) => [first, last]),
    [
      [31, 31],
      [32, 32],
      [30, 30],
    ],
  );
  t.notRegex(scheme.fallsTo, /scans/);
  const open = ports('tcp/30', 'tcp/31', 'udp/32');
  t.regex(new FixedScheme({ ...settings, open }, context).fallsTo, /\{B1\} who scans/);
});

test('a client sends the sequence of its action, and hears when there is none', async (t) => {
  t.deepEqual(fixedHits(settings, { action: 'close' }), settings.close ?? []);
  const noBan = { ...settings, ban: null };
  t.is((await faultOf(() => fixedHits(noBan, { action: 'ban' }))).code, 'usage');
  const [port] = ports('tcp/22');
  t.is(
    (await faultOf(() => fixedHits(settings, { action: 'open', ...(port && { port }) }))).code,
    'usage',
  );
});
