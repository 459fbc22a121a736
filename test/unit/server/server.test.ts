import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { bindDatagramSocket } from '../../../src/dgram-ext/bind.ts';
import { HknockError } from '../../../src/errors/hknock-error.ts';
import { reenrolPeer } from '../../../src/config/server-folder.ts';
import { parseEndpoint } from '../../../src/config/endpoint.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { Server } from '../../../src/server/server.ts';
import { PeerStore } from '../../../src/store/peer-store.ts';
import { createSystemEntropy } from '../../../src/system/entropy.ts';
import type { GrantId } from '../../../src/units/names.ts';
import { formatServicePort, parseServicePort } from '../../../src/units/network.ts';
import { parseDuration } from '../../../src/units/time.ts';
import { address } from '../grants/plans.ts';
import { faultOf } from '../store/scratch.ts';
import { Folder } from './folder.ts';
import { knockFor, outcomeOf, partsFor, run } from './running.ts';

const us = address('127.0.0.1');
const ssh = parseServicePort('tcp/22');

test('a knock opens what it asked for, and both sides know the same of it', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice', { services: ['ssh', 'web'] });
  const { server, firewall } = await run(t, folder);
  const result = await knockFor(profile, 'web');
  if (!result.granted) throw new Error(result.reason);
  t.like(result, { service: 'web', server: us, behindNat: false, admission: 'once' });
  t.deepEqual(result.ports.map(formatServicePort), ['tcp/80', 'tcp/443']);
  t.is(result.observed.address, us);
  t.deepEqual(result.observed, result.claimed);
  t.like(server.grants(), { length: 1 });
  t.like(server.grants()[0], { id: result.grant, peer: 'alice', service: 'web', source: us });
  t.true(firewall.connect(us, parseServicePort('tcp/443')));
  t.false(firewall.connect(us, ssh));
});

test('services are shut from the start on', async (t) => {
  const { firewall } = await run(t, await Folder.create(t));
  t.deepEqual(
    firewall.protected?.map(({ port }) => formatServicePort(port)),
    ['tcp/22', 'tcp/80', 'tcp/443'],
  );
});

test('the status counts peers, services, grants and datagrams', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice');
  const { server, clock } = await run(t, folder);
  // a client whose clock stands sends nothing twice
  await knockFor(profile, 'ssh', { clock: new FakeClock() });
  clock.advance(5000);
  t.like(server.status(), {
    uptimeMs: 5000,
    listen: [`127.0.0.1:${String(profile.port)}`],
    peers: 1,
    services: 2,
    grants: 1,
    replayRecords: 1,
    knocks: { answered: 1, granted: 1, refused: 0 },
    datagrams: { received: 2 },
  });
});

test('a grant ends by the clock', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice', { ttlMs: parseDuration('7s') });
  const { server, clock, firewall } = await run(t, folder);
  await knockFor(profile);
  clock.advance(7000);
  t.deepEqual(server.grants(), []);
  t.false(firewall.connect(us, ssh));
});

test('a service that is not the peer’s is refused, with the reason', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice', { services: ['ssh', 'web'] });
  await new PeerStore(folder.path).revoke(profile.peer);
  const narrowed = await folder.addPeer('alice', { services: ['ssh'] });
  const { server } = await run(t, folder);
  // a client whose profile still lists what the server no longer allows
  t.is(await outcomeOf({ ...narrowed, services: profile.services }, 'web'), 'service-refused');
  t.deepEqual(server.grants(), []);
});

test('an admission that is too wide is refused, with what would do', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice');
  await run(t, folder);
  t.like(await knockFor(profile, 'ssh', { admission: 'address' }), {
    granted: false,
    reason: 'admission-refused',
    acceptable: ['once'],
  });
});

test('a firewall that takes no change means a refusal, never a false "granted"', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice');
  const { server, firewall } = await run(t, folder);
  firewall.refusedPeers.add(profile.peer);
  t.is(await outcomeOf(profile), 'firewall-failed');
  t.deepEqual(server.grants(), []);
  t.like(server.status().knocks, { granted: 0, refused: 1 });
});

test('a firewall that breaks down means the same', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice');
  const { server, firewall } = await run(t, folder);
  firewall.apply = () => Promise.reject(new HknockError('host', 'gone'));
  t.is(await outcomeOf(profile), 'firewall-failed');
  t.deepEqual(server.grants(), []);
});

test('grants of one peer are limited', async (t) => {
  const folder = await Folder.create(t);
  await folder.edit(/grants_per_peer = \d+/, 'grants_per_peer = 2');
  const [alice, bob] = [await folder.addPeer('alice'), await folder.addPeer('bob')];
  const { clock } = await run(t, folder);
  t.is(await outcomeOf(alice), 'granted');
  t.is(await outcomeOf(alice), 'granted');
  t.is(await outcomeOf(alice), 'limit-reached');
  t.is(await outcomeOf(bob), 'granted');
  clock.advance(30_000);
  t.is(await outcomeOf(alice), 'granted');
});

test('knocks of one peer are limited', async (t) => {
  const folder = await Folder.create(t);
  await folder.edit(/peer_knocks_burst = \d+/, 'peer_knocks_burst = 1');
  const [alice, bob] = [await folder.addPeer('alice'), await folder.addPeer('bob')];
  const { clock, server } = await run(t, folder);
  t.is(await outcomeOf(alice), 'granted');
  t.is(await outcomeOf(alice), 'limit-reached');
  t.is(await outcomeOf(bob), 'granted');
  clock.advance(1000);
  t.is(await outcomeOf(alice), 'granted');
  t.is(server.grants().length, 3);
});

test('P1: strangers and wrong keys get silence', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice');
  const { server } = await run(t, folder);
  const stranger = { ...profile, tag: new Uint8Array(8).fill(1) };
  const thief = { ...profile, secret: new Uint8Array(32).fill(1) };
  const misled = { ...profile, responderId: new Uint8Array(16).fill(1) };
  t.deepEqual(await Promise.all([stranger, thief, misled].map((each) => outcomeOf(each))), [
    'no-answer',
    'no-answer',
    'no-answer',
  ]);
  const { knocks, datagrams } = server.status();
  t.is(datagrams.sent, 0);
  t.true(knocks.drops.tag > 0 && knocks.drops.mac > 0);
  t.is(await outcomeOf(profile), 'granted', 'and those with a key are served all the same');
});

for (const [title, cutOnRevoke, cuts] of [
  ['cuts its connections', undefined, [{ peer: 'alice', source: null }]],
  ['leaves its connections when its file says so', false, []],
] as const) {
  test(`revoking a peer closes its grants, makes it a stranger, and ${title}`, async (t) => {
    const folder = await Folder.create(t);
    const alice = await folder.addPeer('alice', cutOnRevoke === undefined ? {} : { cutOnRevoke });
    const bob = await folder.addPeer('bob');
    const { server, firewall } = await run(t, folder);
    await knockFor(alice);
    await knockFor(bob);
    await new PeerStore(folder.path).revoke(alice.peer);
    await server.reload();
    t.deepEqual(
      server.grants().map(({ peer }) => peer),
      [bob.peer],
    );
    t.deepEqual(
      firewall.transactions.flatMap((each) => each.cuts),
      [...cuts],
    );
    t.is(await outcomeOf(alice), 'no-answer');
    t.is(await outcomeOf(bob), 'granted');
  });
}

test('new keys make the old profile worthless and leave connections alone', async (t) => {
  const folder = await Folder.create(t);
  const old = await folder.addPeer('alice');
  const { server, firewall } = await run(t, folder);
  await knockFor(old);
  const entropy = createSystemEntropy();
  const fresh = await reenrolPeer(folder.path, old.peer, { host: '127.0.0.1', entropy });
  await server.reload();
  t.deepEqual(server.grants(), []);
  t.deepEqual(
    firewall.transactions.flatMap((each) => each.cuts),
    [],
  );
  t.is(await outcomeOf(old), 'no-answer');
  t.is(await outcomeOf(fresh), 'granted');
});

test('a new service and a new peer count after a reload, and grants stay', async (t) => {
  const folder = await Folder.create(t);
  const alice = await folder.addPeer('alice');
  const { server, firewall } = await run(t, folder);
  await knockFor(alice);
  await folder.addService('dns', 'udp/53');
  const bob = await folder.addPeer('bob', { services: ['dns'] });
  await server.reload();
  t.is(server.grants().length, 1);
  t.true(firewall.protected?.some(({ port }) => formatServicePort(port) === 'udp/53'));
  t.is(await outcomeOf(bob, 'dns'), 'granted');
});

test('a reload ends the grants that are no longer allowed', async (t) => {
  const folder = await Folder.create(t);
  await folder.edit(/admission = "once"/, 'admission = "address"');
  const alice = await folder.addPeer('alice', { services: ['ssh', 'web'] });
  const { server, firewall } = await run(t, folder);
  await knockFor(alice, 'ssh');
  await knockFor(alice, 'web', { admission: 'once' });
  await folder.edit(/admission = "address"/, 'admission = "once"');
  await server.reload();
  t.deepEqual(
    server.grants().map(({ service }) => service),
    ['web'],
  );
  t.false(firewall.connect(us, ssh));
});

test('a reload ends the grants for ports that the service has lost, though another has them', async (t) => {
  const folder = await Folder.create(t);
  await folder.addService('admin', 'tcp/9000');
  const alice = await folder.addPeer('alice', { services: ['ssh', 'web'] });
  const { server } = await run(t, folder);
  await knockFor(alice, 'ssh');
  await knockFor(alice, 'web');
  await folder.edit(/^ports = \["tcp\/22"\]/m, 'ports = ["tcp/2222"]');
  await folder.edit(/"tcp\/9000"/, '"tcp/22"');
  await server.reload();
  t.deepEqual(
    server.grants().map(({ service }) => service),
    ['web'],
  );
});

test('what a reload does not change is told, and the status goes on telling what is', async (t) => {
  const folder = await Folder.create(t);
  const { server, log } = await run(t, folder);
  const waiting = () => log.lines.filter(({ event }) => event === 'counts from the next start');
  await folder.edit(/ttl = "30s"/, 'ttl = "31s"');
  await folder.edit(/on_stop = "open"/, 'on_stop = "shut"');
  await server.reload();
  t.deepEqual(waiting(), []);
  await folder.edit(/backend = "nftables"/, 'backend = "none"');
  await folder.edit(/level = "info"/, 'level = "debug"');
  await server.reload();
  t.is(server.status().firewall, 'nftables');
  t.deepEqual(
    waiting().map(({ fields }) => fields),
    [{ changed: 'firewall,log' }],
  );
});

test('a wrong configuration is refused at a reload, and everything stays as it was', async (t) => {
  const folder = await Folder.create(t);
  const alice = await folder.addPeer('alice');
  const { server, firewall } = await run(t, folder);
  await knockFor(alice);
  const before = firewall.protected;
  const bob = await folder.addPeer('bob');
  await folder.edit(/admission = "once"/, 'admission = "twice"');
  t.is((await faultOf(() => server.reload())).code, 'config');
  t.is(firewall.protected, before);
  t.is(server.grants().length, 1);
  t.is(await outcomeOf(alice), 'granted');
  t.is(await outcomeOf(bob), 'no-answer');
  await folder.edit(/admission = "twice"/, 'admission = "once"');
  await server.reload();
  t.is(await outcomeOf(bob), 'granted', 'and the next reload is not held up by it');
});

test('a revocation counts, whatever else is wrong with the reload', async (t) => {
  const folder = await Folder.create(t);
  const [alice, bob] = [await folder.addPeer('alice'), await folder.addPeer('bob')];
  const { server, firewall } = await run(t, folder);
  await knockFor(alice);
  await knockFor(bob);
  await new PeerStore(folder.path).revoke(alice.peer);
  const file = join(folder.path, 'peers', 'bob.toml');
  await chmod(file, 0o644);
  t.is((await faultOf(() => server.reload())).code, 'config');
  t.is(await outcomeOf(alice), 'no-answer');
  t.deepEqual(
    server.grants().map(({ peer }) => peer),
    [bob.peer],
  );
  await chmod(file, 0o600);
  await new PeerStore(folder.path).revoke(bob.peer);
  firewall.protect = () => Promise.reject(new HknockError('bind', 'taken'));
  t.is((await faultOf(() => server.reload())).code, 'bind');
  t.is(await outcomeOf(bob), 'no-answer');
  t.deepEqual(server.grants(), []);
});

test('a stop waits for the reload under way, and none comes after it', async (t) => {
  const folder = await Folder.create(t);
  const { server, firewall } = await run(t, folder);
  const calls: string[] = [];
  const [protect, stop] = [firewall.protect.bind(firewall), firewall.stop.bind(firewall)];
  firewall.protect = (ports) => (calls.push('protect'), protect(ports));
  firewall.stop = (leave) => (calls.push('stop'), stop(leave));
  const reloads = [server.reload()];
  // as far as the reload's own look at the folder
  await setImmediate();
  reloads.push(server.reload());
  await Promise.all([server.stop(), Promise.allSettled(reloads)]);
  t.deepEqual(calls, ['protect', 'stop']);
  t.is((await faultOf(() => server.reload())).code, 'usage');
  t.deepEqual(calls, ['protect', 'stop']);
  t.is(firewall.protected, null);
});

test('when the firewall does not take a reload, policy stays with it', async (t) => {
  const folder = await Folder.create(t);
  const { server, firewall } = await run(t, folder);
  await folder.addService('dns', 'udp/53');
  const bob = await folder.addPeer('bob', { services: ['dns'] });
  firewall.protect = () => Promise.reject(new HknockError('host', 'gone'));
  t.is((await faultOf(() => server.reload())).code, 'host');
  t.is(await outcomeOf(bob, 'dns'), 'no-answer');
});

test('reloads that come together end with what the folder says last', async (t) => {
  const folder = await Folder.create(t);
  const { server } = await run(t, folder);
  const first = server.reload();
  const alice = await folder.addPeer('alice');
  await Promise.all([first, server.reload(), server.reload()]);
  t.is(await outcomeOf(alice), 'granted');
});

test('one grant, or all of a peer, can be closed', async (t) => {
  const folder = await Folder.create(t);
  const alice = await folder.addPeer('alice');
  const { server } = await run(t, folder);
  const [first] = [await knockFor(alice), await knockFor(alice), await knockFor(alice)];
  if (!first.granted) throw new Error(first.reason);
  t.true(await server.closeGrant(first.grant, { cut: false }));
  t.false(await server.closeGrant(first.grant, { cut: false }));
  t.false(await server.closeGrant('00' as GrantId, { cut: false }));
  t.is(await server.closePeer(alice.peer, { cut: false }), 2);
  t.deepEqual(server.grants(), []);
});

for (const leave of ['open', 'shut'] as const) {
  test(`stopping leaves the firewall ${leave} and frees the port`, async (t) => {
    const folder = await Folder.create(t);
    await folder.edit(/on_stop = "open"/, `on_stop = "${leave}"`);
    const { server, firewall } = await run(t, folder);
    const [listen = ''] = server.status().listen;
    await Promise.all([server.stop(), server.stop()]);
    t.is(firewall.left, leave);
    const socket = await bindDatagramSocket({
      addresses: [parseEndpoint(listen)],
      clock: new FakeClock(),
    });
    await socket.close();
  });
}

test('a taken port ends the start before the firewall is touched', async (t) => {
  const folder = await Folder.create(t);
  await run(t, folder);
  const { options, firewall } = partsFor(folder);
  t.is((await faultOf(() => Server.start(options))).code, 'bind');
  t.is(firewall.protected, null);
});

test('a wrong configuration ends the start before the firewall is touched', async (t) => {
  const folder = await Folder.create(t);
  await folder.edit(/ttl = "30s"/, 'ttl = "soon"');
  const { options, firewall } = partsFor(folder);
  t.is((await faultOf(() => Server.start(options))).code, 'config');
  t.is(firewall.protected, null);
});

test('a firewall that does not start leaves the port free', async (t) => {
  const folder = await Folder.create(t);
  const { options, firewall } = partsFor(folder);
  const works = firewall.start.bind(firewall);
  firewall.start = () => Promise.reject(new HknockError('host', 'no nft'));
  t.is((await faultOf(() => Server.start(options))).code, 'host');
  firewall.start = works;
  const server = await Server.start(options);
  await server.stop();
  t.pass();
});
