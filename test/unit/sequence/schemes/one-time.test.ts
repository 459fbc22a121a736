import test from 'ava';
import {
  oneTimeHits,
  OneTimeScheme,
  type OneTimeSettings,
} from '../../../../src/sequence/schemes/one-time.ts';
import { parsePeerName, parseServiceName } from '../../../../src/units/names.ts';
import type { IpAddress, Port } from '../../../../src/units/network.ts';
import type { DurationMs } from '../../../../src/units/time.ts';
import { faultOf } from '../../store/scratch.ts';
import { trailOf } from './trails.ts';

const settings: OneTimeSettings = {
  service: parseServiceName('ssh'),
  ports: { first: 10_000 as Port, last: 10_099 as Port },
  // 100 sequences, each with a beginning of its own
  sequences: Array.from({ length: 100 }, (_, n) => [10_000 + n, 10_050, 10_051, 10_052] as Port[]),
  numberPort: 10_100 as Port,
  lockMs: 60_000 as DurationMs,
  lifetimeMs: null,
};

const knocksOf = (number: number): readonly string[] =>
  (settings.sequences[number - 1] ?? []).map((port) => `tcp/${String(port)}`);

/** The scheme when so many have been used, whichever file they were of. */
function schemeAfter(used: number, changed: Partial<OneTimeSettings> = {}): OneTimeScheme {
  const context = {
    name: 'door',
    peer: parsePeerName('alice'),
    serviceOf: () => null,
    latestOf: () => (used === 0 ? null : used),
  };
  return new OneTimeScheme({ ...settings, ...changed }, context);
}

test('the one that is next opens, once; all others lock their source out', (t) => {
  const scheme = schemeAfter(7);
  t.like(scheme.judge(trailOf(knocksOf(8))), {
    action: { kind: 'open' },
    peer: 'alice',
    service: 'ssh',
    once: { credential: scheme.credentials[0], step: 8 },
  });
  for (const number of [1, 7, 9, 100]) {
    t.like(scheme.judge(trailOf(knocksOf(number))), {
      action: { kind: 'lock out', lockMs: 60_000 },
    });
  }
});

test('fewer packets than a sequence has mean nothing yet', (t) => {
  t.is(schemeAfter(0).judge(trailOf(knocksOf(1).slice(0, 3))), null);
  t.is(schemeAfter(0).judge(trailOf(['tcp/10000', 'tcp/22', 'udp/10050', 'tcp/10051'])), null);
});

test('it tells the number of the next, and nothing when there is none', (t) => {
  t.is(schemeAfter(0).numbers?.tell(), '1\n');
  t.is(schemeAfter(99).numbers?.tell(), '100\n');
  t.is(schemeAfter(100).numbers?.tell(), '');
  t.is(schemeAfter(0, { numberPort: null }).numbers, undefined);
});

test('the operator hears when few are left, and when none is', (t) => {
  t.is(schemeAfter(94).concern(), null);
  t.regex(schemeAfter(95).concern() ?? '', /^5 of 100/);
  t.regex(schemeAfter(100).concern() ?? '', /all sequences are used up/);
});

test('another file has another credential; another service does not make one of it', (t) => {
  const [own] = schemeAfter(0).credentials;
  t.regex(own, /^[0-9a-f]{16}$/);
  const other = { sequences: settings.sequences.slice(1) };
  t.not(schemeAfter(0, other).credentials[0], own);
  t.is(schemeAfter(0, { service: parseServiceName('web') }).credentials[0], own);
});

test('a client must say the number of a sequence that there is, and can say no more', async (t) => {
  t.is(oneTimeHits(settings, { action: 'open', number: 100 })[0]?.port, 10_099);
  for (const wrong of [
    { action: 'open' },
    { action: 'open', number: 0 },
    { action: 'open', number: 101 },
    { action: 'close', number: 1 },
    { action: 'open', number: 1, address: '192.0.2.7' as IpAddress },
  ] as const) {
    t.is((await faultOf(() => oneTimeHits(settings, wrong))).code, 'usage');
  }
});
