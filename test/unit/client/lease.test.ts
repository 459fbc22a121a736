import test, { type ExecutionContext } from 'ava';
import { holdGrant } from '../../../src/client/hold.ts';
import { knock, type KnockGranted, type KnockOptions } from '../../../src/client/knock.ts';
import type { Lease } from '../../../src/client/lease.ts';
import type { HknockError } from '../../../src/errors/hknock-error.ts';
import type { Admission } from '../../../src/units/admission.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import { Folder } from '../server/folder.ts';
import { run } from '../server/running.ts';
import { until } from '../../support/netns.ts';
import { faultOf } from '../store/scratch.ts';
import { address } from '../grants/plans.ts';
import { createHastyClock } from './hasty-clock.ts';

const home = address('127.0.0.1');
const ssh = parseServicePort('tcp/22');

/** A server, and somebody who has been let in. */
async function letIn(t: ExecutionContext, admission: Admission, options: KnockOptions = {}) {
  const folder = await Folder.create(t);
  await folder.edit(/admission = "once"/, 'admission = "address"');
  const profile = await folder.addPeer('alice');
  const running = await run(t, folder);
  const knockAgain = (): Promise<KnockGranted> =>
    granted(knock(profile, { admission, ...options }));
  return { ...running, folder, knockAgain, grant: await knockAgain() };
}

async function granted(knocking: ReturnType<typeof knock>): Promise<KnockGranted> {
  const result = await knocking;
  if (!result.granted) throw new Error(result.reason);
  return result;
}

function leaseOf({ lease }: KnockGranted): Lease {
  if (lease === null) throw new Error('no lease');
  return lease;
}

test('a renewed grant lives for its whole life again, and a closed one no longer', async (t) => {
  const { server, firewall, clock, grant } = await letIn(t, 'address');
  clock.advance(29_000);
  t.true((await leaseOf(grant).renew()) >= grant.expiresAt);
  clock.advance(29_000);
  t.true(firewall.connect(home, ssh));
  await leaseOf(grant).close();
  t.is(server.grants().length, 0);
  t.false(firewall.connect(home, ssh));
  await t.notThrowsAsync(leaseOf(grant).close());
  t.is((await faultOf(() => leaseOf(grant).renew())).code, 'refused');
});

test('a grant for one connection is closed, never renewed', async (t) => {
  const { server, grant } = await letIn(t, 'once');
  t.is((await faultOf(() => leaseOf(grant).renew())).code, 'refused');
  await leaseOf(grant).close();
  t.is(server.grants().length, 0);
});

test('two knocks that were granted the same grant each hold it', async (t) => {
  const { server, grant, knockAgain } = await letIn(t, 'address');
  const second = await knockAgain();
  t.is(second.grant, grant.grant);
  await leaseOf(grant).close();
  t.is(server.grants().length, 1);
  await leaseOf(second).close();
  t.is(server.grants().length, 0);
});

test('a server that does not know the lease does not answer, and that is told in time', async (t) => {
  const { folder, server, grant } = await letIn(t, 'address', { clock: createHastyClock() });
  await server.stop();
  await run(t, folder);
  t.is((await faultOf(() => leaseOf(grant).renew())).code, 'no-answer');
  t.is((await faultOf(() => leaseOf(grant).close())).code, 'no-answer');
});

test('a grant that is held outlives its lifetime, until it is released', async (t) => {
  // its 30 s are to be long enough for us to be in time on a busy machine
  const clock = createHastyClock(10);
  const { server, clock: serverClock, grant } = await letIn(t, 'address', { clock });
  const held = holdGrant(grant, { clock });
  const renewals = (): number => server.status().knocks.leases;
  for (let round = 1; round <= 4; round++) {
    await until(() => renewals() >= round, `renewal ${String(round)}`);
    serverClock.advance(20_000);
  }
  t.is(server.grants().length, 1, '80 s after the knock, with a lifetime of 30 s');
  await held.release();
  t.is(server.grants().length, 0);
});

test('whoever holds a grant is told when it is over, once', async (t) => {
  const clock = createHastyClock();
  const { server, grant } = await letIn(t, 'address', { clock });
  const lost: HknockError[] = [];
  const held = holdGrant(grant, { clock, onLost: (fault) => lost.push(fault) });
  await server.closeGrant(grant.grant, { cut: false });
  await until(() => lost.length > 0, 'the holder to be told');
  t.is(lost[0]?.code, 'refused');
  await held.release();
  t.is(lost.length, 1);
});
