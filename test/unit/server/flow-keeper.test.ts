import test from 'ava';
import { Grants } from '../../../src/grants/grants.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { FakeFirewall } from '../../../src/host/fake-firewall.ts';
import { FakeLog } from '../../../src/host/fake-log.ts';
import type { Firewall, Used } from '../../../src/host/firewall.ts';
import { startFlowKeeper } from '../../../src/server/flow-keeper.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import { parseDuration } from '../../../src/units/time.ts';
import { plan } from '../grants/plans.ts';

const limits = { perPeer: 100, perSource: 100, total: 100 };

/** A grant of 30 s to a UDP port, which a flow may keep for 100 s. */
const kept = plan({
  admission: 'address',
  ports: [parseServicePort('udp/53')],
  flowKeepMs: parseDuration('100s'),
});

async function setUp() {
  const clock = new FakeClock();
  const system = { asked: 0, flowLives: true, fault: null as Error | null };
  const firewall: Firewall = Object.assign(new FakeFirewall(clock), {
    inUse: (grants: readonly Used[]) => {
      system.asked++;
      if (system.fault !== null) return Promise.reject(system.fault);
      return Promise.resolve(new Set(system.flowLives ? grants.map(({ grant }) => grant) : []));
    },
  });
  const log = new FakeLog();
  const entropy = new FakeEntropy();
  const grants = new Grants({ firewall, clock, entropy, log, limits });
  const keeper = await startFlowKeeper({ grants, firewall, clock, log });
  if (keeper === null) throw new Error('it keeps nothing');
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      clock.advance(1000);
      await new Promise(setImmediate); // the firewall is asked, and then changed
    }
  };
  return { system, log, grants, keeper, pass };
}

test('a grant lives as long as its flow, and the system is asked only when it is about to end', async (t) => {
  const { grants, system, keeper, pass } = await setUp();
  await grants.open(kept);
  await pass(24);
  t.is(system.asked, 0);
  await pass(46);
  t.is(grants.list().length, 1);
  t.is(system.asked, 2);
  t.deepEqual(keeper.counters(), { kept: 2 });
  system.flowLives = false;
  await pass(30);
  t.is(grants.list().length, 0);
});

test('policy says how long that may be, counted from when the client asked for it last', async (t) => {
  const { grants, pass } = await setUp();
  await grants.open(kept);
  await pass(60);
  await grants.open(kept);
  await pass(79);
  t.is(grants.list().length, 1);
  await pass(2);
  t.is(grants.list().length, 0);
});

test('a grant that flows may not keep ends in its time', async (t) => {
  const { grants, system, pass } = await setUp();
  await grants.open(plan({ admission: 'address' }));
  await grants.open({ ...kept, flowKeepMs: parseDuration('0s') });
  await pass(30);
  t.is(grants.list().length, 0);
  t.is(system.asked, 0);
});

test('a grant that was closed while the system was asked stays closed', async (t) => {
  const { grants, system, pass } = await setUp();
  await grants.open(kept);
  await pass(24);
  const closing = pass(1);
  await grants.close(grants.list()[0]?.id ?? ('' as never), { cut: false });
  await closing;
  t.is(system.asked, 1);
  t.is(grants.list().length, 0);
});

test('a system that cannot be asked lets the grant end, and nothing else', async (t) => {
  const { grants, system, log, keeper, pass } = await setUp();
  system.fault = new Error('no conntrack');
  await grants.open(kept);
  await pass(31);
  t.is(grants.list().length, 0);
  t.is(log.lines.filter(({ event }) => event === 'flows cannot keep grants').length, 1);
  system.fault = null;
  await grants.open(kept);
  await pass(60);
  t.is(grants.list().length, 1);
  await keeper.stop();
  await pass(60);
  t.is(grants.list().length, 0);
});

test('where the firewall cannot tell, nothing is kept', async (t) => {
  const clock = new FakeClock();
  const firewall = new FakeFirewall(clock);
  const log = new FakeLog();
  const grants = new Grants({ firewall, clock, entropy: new FakeEntropy(), log, limits });
  t.is(await startFlowKeeper({ grants, firewall, clock, log }), null);
});
