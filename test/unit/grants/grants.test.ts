import test from 'ava';
import { Grants } from '../../../src/grants/grants.ts';
import type { GrantLimits } from '../../../src/grants/live-grants.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { FakeFirewall } from '../../../src/host/fake-firewall.ts';
import { FakeLog } from '../../../src/host/fake-log.ts';
import type { Failures, Transaction } from '../../../src/host/firewall.ts';
import type { Granted, Outcome } from '../../../src/units/knock.ts';
import { leaseEnd } from '../../../src/units/lease.ts';
import type { GrantId } from '../../../src/units/names.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import { parseDuration } from '../../../src/units/time.ts';
import { address, alice, bob, home, plan, ssh } from './plans.ts';

const roomy: GrantLimits = { perPeer: 100, perSource: 100, total: 100 };

function setUp(limits: Partial<GrantLimits> = {}) {
  const clock = new FakeClock();
  const firewall = new FakeFirewall(clock);
  const log = new FakeLog();
  const entropy = new FakeEntropy();
  const grants = new Grants({ firewall, clock, entropy, log, limits: { ...roomy, ...limits } });
  return { clock, firewall, log, grants };
}

function granted(outcome: Outcome): Granted {
  if (outcome.kind === 'granted') return outcome;
  throw new Error(outcome.reason);
}

function reasonOf(outcome: Outcome): string {
  return outcome.kind === 'granted' ? 'granted' : outcome.reason;
}

test('a grant lets a connection in and says what it is', async (t) => {
  const { grants, firewall, clock } = setUp();
  const outcome = granted(await grants.open(plan()));
  t.like(outcome, { admission: 'once', lifetimeMs: 30_000, ports: [ssh] });
  t.regex(outcome.grant, /^[0-9a-f]{16}$/);
  t.like(grants.list(), { length: 1 });
  t.like(grants.list()[0], { id: outcome.grant, expiresAt: clock.unixMs() + 30_000 });
  t.true(firewall.connect(home, ssh));
});

test('a grant leaves the list when its time is over', async (t) => {
  const { grants, firewall, clock, log } = setUp();
  await grants.open(plan());
  clock.advance(29_999);
  t.is(grants.list().length, 1);
  clock.advance(1);
  t.is(grants.list().length, 0);
  t.false(firewall.connect(home, ssh));
  t.is(log.lines.filter(({ event }) => event === 'expired').length, 1);
});

test('a grant for any number of connections is renewed in place', async (t) => {
  const { grants, firewall, clock } = setUp({ perPeer: 1 });
  const wide = plan({ admission: 'address' });
  const first = granted(await grants.open(wide));
  clock.advance(20_000);
  const second = granted(await grants.open(wide));
  t.is(second.grant, first.grant);
  t.deepEqual(firewall.transactions.at(-1)?.closes, [first.grant]);
  clock.advance(20_000);
  t.is(grants.list().length, 1);
  t.true(firewall.connect(home, ssh));
  clock.advance(10_000);
  t.is(grants.list().length, 0);
});

test('a grant for one port of a service leaves that for another of its ports open', async (t) => {
  const { grants, firewall } = setUp();
  const other = parseServicePort('udp/60001');
  for (const port of [ssh, other]) {
    t.is((await grants.open(plan({ admission: 'address', ports: [port], port }))).kind, 'granted');
  }
  t.is(grants.list().length, 2);
  t.true(firewall.connect(home, ssh));
  t.true(firewall.connect(home, other));
});

test('a grant for one connection is not renewed: each knock is worth one', async (t) => {
  const { grants, firewall } = setUp();
  const [first, second] = [await grants.open(plan()), await grants.open(plan())];
  t.not(granted(first).grant, granted(second).grant);
  t.true(firewall.connect(home, ssh));
  t.true(firewall.connect(home, ssh));
  t.false(firewall.connect(home, ssh));
});

test('a grant of another address, service or peer is not taken for the same', async (t) => {
  const { grants } = setUp();
  const wide = plan({ admission: 'address' });
  await grants.open(wide);
  await grants.open({ ...wide, source: address('203.0.113.8') });
  await grants.open({ ...wide, peer: bob });
  t.is(grants.list().length, 3);
});

test('a firewall that refuses makes the knock a refusal and leaves no grant', async (t) => {
  const { grants, firewall, clock } = setUp();
  firewall.refusedPeers.add(alice);
  t.is(reasonOf(await grants.open(plan())), 'firewall-failed');
  t.is(grants.list().length, 0);
  firewall.refusedPeers.clear();
  t.is(reasonOf(await grants.open(plan())), 'granted');
  clock.advance(29_999);
  t.is(grants.list().length, 1, 'no timer of the failed grant is left');
});

test('a firewall that has no room for a peer is a limit of that peer’s', async (t) => {
  const { grants, firewall } = setUp();
  firewall.limitedPeers.add(alice);
  t.is(reasonOf(await grants.open(plan())), 'limit-reached');
  t.is(reasonOf(await grants.open(plan({ peer: bob }))), 'granted');
});

test('a firewall that breaks down leaves no grant either', async (t) => {
  const { grants, firewall } = setUp({ perPeer: 1 });
  const works = firewall.apply.bind(firewall);
  firewall.apply = () => Promise.reject(new Error('broken'));
  await t.throwsAsync(grants.open(plan()), { message: 'broken' });
  t.is(grants.list().length, 0);
  firewall.apply = works;
  t.is(reasonOf(await grants.open(plan())), 'granted');
});

for (const [limit, other] of [
  ['perPeer', { source: address('198.51.100.1') }],
  ['perSource', { peer: bob }],
  ['total', { peer: bob, source: address('198.51.100.1') }],
] as const) {
  test(`${limit}: one grant too many is refused, until one has ended`, async (t) => {
    const { grants, firewall, clock } = setUp({ [limit]: 2 });
    await grants.open(plan());
    await grants.open(plan());
    t.is(reasonOf(await grants.open(plan(other))), 'limit-reached');
    t.is(firewall.transactions.length, 2, 'the firewall is not even asked');
    clock.advance(30_000);
    t.is(reasonOf(await grants.open(plan(other))), 'granted');
  });
}

test('an IPv6 /64 counts as one source', async (t) => {
  const { grants } = setUp({ perSource: 1 });
  await grants.open(plan({ source: address('2001:db8::1') }));
  const neighbour = plan({ peer: bob, source: address('2001:db8::ffff:2') });
  t.is(reasonOf(await grants.open(neighbour)), 'limit-reached');
  const stranger = plan({ peer: bob, source: address('2001:db8:0:1::1') });
  t.is(reasonOf(await grants.open(stranger)), 'granted');
});

test('knocks that come together do not all find the last place', async (t) => {
  const { grants } = setUp({ perPeer: 3 });
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => grants.open(plan())));
  t.is(outcomes.filter(({ kind }) => kind === 'granted').length, 3);
});

test('a grant for one connection is released, unless another may be for the same connection', async (t) => {
  const { grants, firewall } = setUp();
  const open = async (changes: Parameters<typeof plan>[0] = {}): Promise<GrantId> =>
    granted(await grants.open(plan(changes))).grant;
  t.true(await grants.release(await open()));
  t.false(firewall.connect(home, ssh));

  const mine = await open();
  const theirs = await open({ peer: bob });
  t.true(firewall.connect(home, ssh), 'by one of the two, and nobody knows which');
  t.true(await grants.release(mine));
  t.true(firewall.connect(home, ssh), 'what is left is there still');
  await grants.close(mine, { cut: false });

  const others = [
    { source: address('203.0.113.8') },
    { ports: [parseServicePort('tcp/23')] },
    { admission: 'address', ports: [ssh] },
  ] as const;
  for (const changes of others) await open({ peer: bob, ...changes });
  t.true(await grants.release(theirs), 'these are never mistaken for it');
  t.false(grants.list().some(({ id }) => id === theirs));
  t.true(await grants.release(await open({ breadth: 'prefix' })));
  t.true(
    grants.list().some(({ breadth }) => breadth === 'prefix'),
    'anybody there may need it',
  );
  t.false(await grants.release(theirs));
});

test('closing a grant shuts its door, once', async (t) => {
  const { grants, firewall } = setUp();
  const { grant } = granted(await grants.open(plan()));
  t.true(await grants.close(grant, { cut: false }));
  t.false(firewall.connect(home, ssh));
  t.deepEqual(firewall.transactions.at(-1), { opens: [], closes: [grant], cuts: [] });
  t.false(await grants.close(grant, { cut: false }));
  t.false(await grants.close('0000000000000000' as GrantId, { cut: true }));
  t.is(firewall.transactions.length, 2);
});

test('closing with a cut ends the connections from that address', async (t) => {
  const { grants, firewall } = setUp();
  const { grant } = granted(await grants.open(plan()));
  await grants.close(grant, { cut: true });
  t.deepEqual(firewall.transactions.at(-1)?.cuts, [{ peer: alice, source: home }]);
});

test('closing a peer ends all its grants and nobody else’s', async (t) => {
  const { grants, firewall } = setUp();
  await grants.open(plan());
  await grants.open(plan({ source: address('198.51.100.1') }));
  await grants.open(plan({ peer: bob }));
  t.is(await grants.closePeers([{ peer: alice, cut: true }]), 2);
  t.deepEqual(
    grants.list().map(({ peer }) => peer),
    [bob],
  );
  t.deepEqual(firewall.transactions.at(-1)?.cuts, [{ peer: alice, source: null }]);
  t.is(firewall.transactions.at(-1)?.closes.length, 2);
});

test('what the firewall did not close is told and logged, and the rest is closed', async (t) => {
  const { grants, firewall, log } = setUp();
  const { grant } = granted(await grants.open(plan()));
  await grants.open(plan({ peer: bob }));
  firewall.unclosable.add(grant);
  const peers = [alice, bob].map((peer) => ({ peer, cut: true }));
  await t.throwsAsync(grants.closePeers(peers), { code: 'firewall' });
  t.is(firewall.transactions.at(-1)?.cuts.length, 2);
  const told = log.lines.slice(2).map(({ level, event }) => `${level} ${event}`);
  t.deepEqual(told, [
    'info closed',
    'info closed',
    'error may be open still',
    'info cut',
    'info cut',
  ]);
});

test('grants that are not allowed any more are closed, together', async (t) => {
  const { grants, firewall } = setUp();
  await Promise.all([alice, alice, bob].map((peer) => grants.open(plan({ peer }))));
  await grants.closeUnless(({ peer }) => peer === bob);
  t.deepEqual(
    grants.list().map(({ peer }) => peer),
    [bob],
  );
  t.is(firewall.transactions.at(-1)?.closes.length, 2);
});

test('a peer without a grant can still have connections to cut', async (t) => {
  const { grants, firewall } = setUp();
  t.is(await grants.closePeers([{ peer: alice, cut: true }]), 0);
  t.deepEqual(firewall.transactions.at(-1)?.cuts, [{ peer: alice, source: null }]);
});

test('who is revoked while the firewall is at work is not told "granted"', async (t) => {
  const { grants, firewall } = setUp();
  const works = firewall.apply.bind(firewall);
  let proceed = (): void => undefined;
  const paused = new Promise<void>((resolve) => (proceed = resolve));
  firewall.apply = async (transaction: Transaction): Promise<Failures> => {
    const failures = await works(transaction);
    if (transaction.opens.length > 0) await paused;
    return failures;
  };
  const opening = grants.open(plan());
  t.is(await grants.closePeers([{ peer: alice, cut: false }]), 1);
  proceed();
  t.is(reasonOf(await opening), 'service-refused');
  t.is(grants.list().length, 0);
  t.false(firewall.connect(home, ssh));
});

test('each grant lives as long as its own plan says', async (t) => {
  const { grants, clock } = setUp();
  await grants.open(plan({ lifetimeMs: parseDuration('2s') }));
  await grants.open(plan({ lifetimeMs: parseDuration('1h') }));
  clock.advance(2000);
  t.deepEqual(
    grants.list().map(({ lifetimeMs }) => lifetimeMs),
    [parseDuration('1h')],
  );
});

test('the log names grant, peer and address and holds no bytes', async (t) => {
  const { grants, log } = setUp();
  const { grant } = granted(await grants.open(plan()));
  await grants.close(grant, { cut: false });
  t.deepEqual(
    log.lines.map(({ event }) => event),
    ['granted', 'closed'],
  );
  t.like(log.lines[0]?.fields, { grant, peer: alice, source: home, lifetime: '30s' });
});

test('a grant for any number of connections can be renewed by its id, for its whole life', async (t) => {
  const { grants, firewall, clock } = setUp({ perPeer: 1 });
  const { grant } = granted(await grants.open(plan({ admission: 'address' })));
  clock.advance(29_000);
  t.deepEqual(await grants.renew(grant), { status: 'done', lifetimeMs: parseDuration('30s') });
  t.like(firewall.transactions.at(-1), { closes: [grant], opens: [{ grant, source: home }] });
  clock.advance(29_999);
  t.true(firewall.connect(home, ssh));
  clock.advance(1);
  t.deepEqual(await grants.renew(grant), leaseEnd('over'));
  t.false(firewall.connect(home, ssh));
});

test('a grant for one connection is not renewed: it would let in a second', async (t) => {
  const { grants, firewall } = setUp();
  const { grant } = granted(await grants.open(plan()));
  t.true(firewall.connect(home, ssh));
  t.deepEqual(await grants.renew(grant), leaseEnd('refused'));
  t.false(firewall.connect(home, ssh));
});

test('a renewal that the firewall does not take is told, and leaves no grant', async (t) => {
  const { grants, firewall } = setUp();
  const { grant } = granted(await grants.open(plan({ admission: 'address' })));
  firewall.refusedPeers.add(alice);
  t.deepEqual(await grants.renew(grant), leaseEnd('failed'));
  t.is(grants.list().length, 0);
});

test('a grant for a prefix is told as a warning, renewed for the prefix alone, and cut for all of it', async (t) => {
  const { grants, firewall, log } = setUp();
  const wide = plan({ admission: 'address', breadth: 'prefix' });
  const { grant } = granted(await grants.open(wide));
  t.like(log.lines.at(-1), { level: 'warn', fields: { prefix: '203.0.113.0/24', source: home } });
  t.is(granted(await grants.open(wide)).grant, grant);
  t.not(granted(await grants.open(plan({ admission: 'address' }))).grant, grant);
  t.like(log.lines.at(-1), { level: 'info' });
  await grants.close(grant, { cut: true });
  t.deepEqual(firewall.transactions.at(-1)?.cuts, [
    { peer: alice, source: '203.0.113.0/24' as never },
  ]);
});
