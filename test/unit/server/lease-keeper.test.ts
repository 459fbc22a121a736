import test from 'ava';
import { Grants } from '../../../src/grants/grants.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { FakeFirewall } from '../../../src/host/fake-firewall.ts';
import { FakeLog } from '../../../src/host/fake-log.ts';
import { createLeaseKeeper } from '../../../src/server/lease-keeper.ts';
import { leaseEnd, type LeaseOperation } from '../../../src/units/lease.ts';
import { alice, home, plan, ssh } from '../grants/plans.ts';

async function setUp() {
  const clock = new FakeClock();
  const firewall = new FakeFirewall(clock);
  const log = new FakeLog();
  const limits = { perPeer: 10, perSource: 10, total: 10 };
  const grants = new Grants({ firewall, clock, entropy: new FakeEntropy(), log, limits });
  const opened = await grants.open(plan({ admission: 'address' }));
  if (opened.kind === 'refused') throw new Error(opened.reason);
  const { grant } = opened;
  const keep = createLeaseKeeper(grants, log);
  const ask = (operation: LeaseOperation, isLast = true) =>
    keep({ operation, grant, peer: alice, isLast });
  return { firewall, grants, log, grant, ask };
}

test('a close ends the grant at once, a later one finds it over', async (t) => {
  const { ask, firewall } = await setUp();
  t.deepEqual(await ask('close'), leaseEnd('done'));
  t.false(firewall.connect(home, ssh));
  t.deepEqual(await ask('close'), leaseEnd('over'));
  t.deepEqual(await ask('renew'), leaseEnd('over'));
});

test('a close leaves the grant to whoever else holds it', async (t) => {
  const { ask, firewall } = await setUp();
  t.deepEqual(await ask('close', false), leaseEnd('done'));
  t.true(firewall.connect(home, ssh));
});

test('what the firewall does not do is told as failed, and logged', async (t) => {
  const { ask, firewall, grant, log } = await setUp();
  firewall.unclosable.add(grant);
  t.deepEqual(await ask('close'), leaseEnd('failed'));
  t.is(log.lines.at(-1)?.event, 'lease failed');
});
