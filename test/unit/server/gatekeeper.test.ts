import test from 'ava';
import { Grants } from '../../../src/grants/grants.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { FakeFirewall } from '../../../src/host/fake-firewall.ts';
import { FakeLog } from '../../../src/host/fake-log.ts';
import { type Door, plainDoor } from '../../../src/host/firewall.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { createGatekeeper } from '../../../src/server/gatekeeper.ts';
import type { Knock } from '../../../src/units/knock.ts';
import { alice, home, plan, ssh } from '../grants/plans.ts';

const { service, ports, admission, lifetimeMs } = plan();

const knock: Knock = {
  peer: alice,
  service,
  admission: null,
  observed: { address: home, port: 4711 },
  claimed: null,
  sessionSecret: new Uint8Array(32).fill(0x5e),
};

const closed: Policy = { services: new Map(), peers: new Map() };
const open: Policy = {
  services: new Map([
    [service, { name: service, ports, admission, lifetimeMs, flowKeepMs: lifetimeMs }],
  ]),
  peers: new Map([
    [alice, { name: alice, services: [service], admission: null, lifetimeMs: null }],
  ]),
};

function setUp(doorOf: () => Door | null = () => plainDoor) {
  const clock = new FakeClock();
  const firewall = new FakeFirewall(clock);
  const log = new FakeLog();
  const limits = { perPeer: 2, perSource: 10, total: 10 };
  const grants = new Grants({ firewall, clock, entropy: new FakeEntropy(), log, limits });
  const state = { policy: open };
  const enforceable = firewall.admissions;
  const admit = createGatekeeper({ grants, policy: () => state.policy, enforceable, doorOf, log });
  return { admit, firewall, log, state };
}

test('what policy allows and the firewall takes is granted', async (t) => {
  const { admit, firewall } = setUp();
  t.like(await admit(knock), { kind: 'granted', admission: 'once', ports });
  t.true(firewall.connect(home, ssh));
});

test('policy is asked anew at each knock', async (t) => {
  const { admit, state, firewall } = setUp();
  state.policy = closed;
  t.like(await admit(knock), { kind: 'refused', reason: 'service-refused' });
  t.deepEqual(firewall.transactions, []);
  state.policy = open;
  t.like(await admit(knock), { kind: 'granted' });
});

test('an admission that the firewall cannot keep to is refused', async (t) => {
  const { admit } = setUp();
  t.deepEqual(await admit({ ...knock, admission: 'gate' }), {
    kind: 'refused',
    reason: 'admission-refused',
    acceptable: ['once'],
  });
});

test('refusals are logged with who and why, and without a secret', async (t) => {
  const { admit, firewall, log } = setUp();
  firewall.refusedPeers.add(alice);
  t.like(await admit(knock), { kind: 'refused', reason: 'firewall-failed' });
  const line = log.lines.find(({ event }) => event === 'refused');
  t.deepEqual(line?.fields, { peer: alice, service, source: home, reason: 'firewall-failed' });
});

test('when nothing is free that would tell the connection from others, the knock is refused', async (t) => {
  const { admit, firewall } = setUp(() => null);
  t.like(await admit(knock), { kind: 'refused', reason: 'limit-reached' });
  t.deepEqual(firewall.transactions, []);
});
