import test from 'ava';
import { sequencePorts, stepAt, stepKey } from '../../../../src/sequence/schemes/totp-ports.ts';
import { TotpScheme } from '../../../../src/sequence/schemes/totp.ts';
import type { Heard } from '../../../../src/sequence/tracker.ts';
import { parsePeerName, parseServiceName } from '../../../../src/units/names.ts';
import type { IpAddress, Port } from '../../../../src/units/network.ts';
import type { MonotonicMs, UnixMs } from '../../../../src/units/time.ts';

const now = 1_800_000_015_000 as UnixMs;
const responderId = new Uint8Array(16).fill(9);
const [ssh, web] = ['ssh', 'web'].map(parseServiceName) as [
  ReturnType<typeof parseServiceName>,
  ReturnType<typeof parseServiceName>,
];
const shape = { protocol: 'tcp', first: 20_000 as Port, last: 32_767 as Port, count: 6 } as const;
const alice = {
  peer: parsePeerName('alice'),
  secret: new Uint8Array(32).fill(1),
  services: [ssh, web],
};
const bob = { peer: parsePeerName('bob'), secret: new Uint8Array(32).fill(2), services: [ssh] };

const scheme = (): TotpScheme => new TotpScheme({ credentials: [alice, bob], responderId, shape });

function portsFor({ secret } = alice, service = ssh, skew = 0): readonly number[] {
  return sequencePorts(stepKey({ secret, responderId }, stepAt(now) + skew), service, shape);
}

function trailOf(ports: readonly number[], source = '192.0.2.7'): readonly Heard[] {
  return ports.map((port, n) => ({
    protocol: 'tcp',
    source: source as IpAddress,
    sourcePort: 40_000 + n,
    port,
    ttl: 57,
    tcpFlags: 0x02,
    syn: null,
    at: n as MonotonicMs,
  }));
}

test('the six ports are alice’s knock for ssh', (t) => {
  const trail = trailOf(portsFor());
  t.like(scheme().judge(trail, now), { peer: 'alice', service: 'ssh', action: { kind: 'open' } });
  t.deepEqual(scheme().judge(trail, now)?.used, trail);
});

test('they say who and what by themselves', (t) => {
  t.like(scheme().judge(trailOf(portsFor(alice, web)), now), { peer: 'alice', service: 'web' });
  t.like(scheme().judge(trailOf(portsFor(bob)), now), { peer: 'bob', service: 'ssh' });
});

test('a service that is not the peer’s has no ports', (t) => {
  t.is(scheme().judge(trailOf(portsFor(bob, web)), now), null);
});

test('any order will do, with others in between', (t) => {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = portsFor();
  const trail = trailOf([f, 20_001, b, b, a, 32_000, e, d, c]);
  t.like(scheme().judge(trail, now), { peer: 'alice', service: 'ssh' });
  t.is(scheme().judge(trail, now)?.used.length, 6);
});

test('five of six, whichever is missing, are nothing', (t) => {
  const ports = portsFor();
  for (const missing of ports) {
    t.is(scheme().judge(trailOf(ports.filter((port) => port !== missing)), now), null);
  }
});

test('ports that the other protocol was used for do not count', (t) => {
  const trail = trailOf(portsFor()).map((each, n) =>
    n === 3 ? ({ ...each, protocol: 'udp' } as const) : each,
  );
  t.is(scheme().judge(trail, now), null);
});

test('all knocks must come from one address, also within one /64', (t) => {
  const ports = portsFor();
  const trail = [
    ...trailOf(ports.slice(0, 3), '2001:db8::7'),
    ...trailOf(ports.slice(3), '2001:db8::8'),
  ];
  t.is(scheme().judge(trail, now), null);
});

for (const [skew, counts] of [
  [-2, false],
  [-1, true],
  [1, true],
  [2, false],
] as const) {
  test(`a clock that is off by ${String(skew)} steps ${counts ? 'counts' : 'does not'}`, (t) => {
    const verdict = scheme().judge(trailOf(portsFor(alice, ssh, skew)), now);
    t.is(verdict?.once?.step, counts ? stepAt(now) + skew : undefined);
  });
}

test('a server whose clock is set back and forth follows it', (t) => {
  const judge = scheme();
  const trail = trailOf(portsFor());
  t.truthy(judge.judge(trail, now));
  t.is(judge.judge(trail, (now - 3_600_000) as UnixMs), null);
  t.truthy(judge.judge(trail, now));
});

test('another server’s sequence is worthless (P10)', (t) => {
  const other = new TotpScheme({ credentials: [alice], responderId: new Uint8Array(16), shape });
  t.is(other.judge(trailOf(portsFor()), now), null);
});

test('whoever knows all of the sequence but the last port has to guess that', (t) => {
  const judge = scheme();
  const [last = 0, ...others] = [...portsFor()].reverse();
  const before = trailOf(others);
  const guesses = Array.from({ length: 26 }, (_, n) => last + n + 1);
  t.is(judge.judge([...before, ...trailOf(guesses)], now), null);
  t.truthy(judge.judge([...before, ...trailOf([...guesses, last])], now));
});
