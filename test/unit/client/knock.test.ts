import test from 'ava';
import { HknockError } from '../../../src/errors/hknock-error.ts';
import { parseServiceName } from '../../../src/units/names.ts';
import type { IpAddress } from '../../../src/units/network.ts';
import { address } from '../grants/plans.ts';
import { Folder } from '../server/folder.ts';
import { run } from '../server/running.ts';
import { faultOf } from '../store/scratch.ts';
import { createHastyClock } from './hasty-clock.ts';
import { knock } from '../../../src/client/knock.ts';

const served = address('127.0.0.1');
const silent = address('127.0.0.2');

test('the only service of a profile need not be named', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice', { services: ['web'] });
  await run(t, folder);
  t.like(await knock(profile), { granted: true, service: 'web' });
});

test('one of several services must be named, and be there', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice', { services: ['ssh', 'web'] });
  t.is((await faultOf(() => knock(profile))).code, 'usage');
  const unknown = { service: parseServiceName('ftp') };
  t.is((await faultOf(() => knock(profile, unknown))).code, 'usage');
});

test('a silent address does not keep us from the next', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice');
  const { server } = await run(t, folder);
  const resolve = (): Promise<IpAddress[]> => Promise.resolve([silent, served]);
  const result = await knock(profile, { resolve, clock: createHastyClock() });
  t.like(result, { granted: true, server: served });
  t.is(server.grants().length, 1);
});

test('only one of several addresses that answer gets a proof', async (t) => {
  const folder = await Folder.create(t);
  await folder.edit(
    /listen = \["127\.0\.0\.1:(\d+)"\]/,
    'listen = ["127.0.0.1:$1", "127.0.0.2:$1"]',
  );
  const profile = await folder.addPeer('alice');
  const { server } = await run(t, folder);
  const resolve = (): Promise<IpAddress[]> => Promise.resolve([silent, served]);
  // no time at all for the first: both are asked at once
  const hasty = createHastyClock();
  const clock = {
    ...hasty,
    after: (delayMs: number, call: () => void) => hasty.after(delayMs === 250 ? 0 : delayMs, call),
  };
  t.like(await knock(profile, { resolve, clock }), { granted: true });
  t.is(server.grants().length, 1);
});

test('a host can be named in place of all that the profile lists', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice');
  await run(t, folder);
  const asked: string[] = [];
  const resolve = (host: string): Promise<IpAddress[]> => {
    asked.push(host);
    return Promise.resolve([served]);
  };
  await knock(profile, { host: 'gate.example.org', resolve });
  await knock({ ...profile, hosts: ['a.example.org', 'b.example.org'] }, { resolve });
  t.deepEqual(asked, ['gate.example.org', 'a.example.org', 'b.example.org']);
});

test('a host without an address does no harm as long as another has one', async (t) => {
  const folder = await Folder.create(t);
  const profile = { ...(await folder.addPeer('alice')), hosts: ['gone', 'here'] };
  await run(t, folder);
  const missing = new HknockError('no-answer', 'no such host');
  const resolve = (host: string): Promise<IpAddress[]> =>
    host === 'here' ? Promise.resolve([served]) : Promise.reject(missing);
  t.like(await knock(profile, { resolve }), { granted: true });
  const allGone = { ...profile, hosts: ['gone', 'gone too'] };
  t.is(await faultOf(() => knock(allGone, { resolve })), missing);
});

test('when nobody answers, that is said within 8 s of the clock', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice');
  const clock = createHastyClock();
  const startedAt = clock.monotonicMs();
  t.is((await faultOf(() => knock(profile, { clock }))).code, 'no-answer');
  const tookMs = clock.monotonicMs() - startedAt;
  t.true(tookMs > 7000, String(tookMs));
});

test('the time to connect is told by our own clock, on the safe side', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice');
  await run(t, folder);
  const before = Date.now();
  const result = await knock(profile);
  if (!result.granted) throw new Error(result.reason);
  t.true(result.expiresAt >= before + 30_000 && result.expiresAt <= Date.now() + 30_000);
  t.is(result.sessionSecret.length, 32);
});
