import test, { type ExecutionContext } from 'ava';
import { gateKey } from '../../../../src/admission/gate/gate-key.ts';
import { FakeClock } from '../../../../src/host/fake-clock.ts';
import { FakeFirewall } from '../../../../src/host/fake-firewall.ts';
import { type Opening, plainDoor } from '../../../../src/host/firewall.ts';
import { GatedFirewall } from '../../../../src/server/gate/gated-firewall.ts';
import type { GrantId, PeerName } from '../../../../src/units/names.ts';
import type { Port } from '../../../../src/units/network.ts';
import type { DurationMs } from '../../../../src/units/time.ts';
import { address, home, plan, ssh } from '../../grants/plans.ts';
import { GateStage } from './gates.ts';

let made = 0;

function opening(changes: Partial<Opening> = {}): Opening {
  const grant = (++made).toString(16).padStart(16, '0') as GrantId;
  const key = gateKey(new Uint8Array(32).fill(made));
  const door = { ...plainDoor, gateKey: key };
  return { grant, ...plan({ admission: 'gate' }), door, ...changes };
}

async function setUp(t: ExecutionContext, isShut = true) {
  const clock = new FakeClock();
  const below = new FakeFirewall(clock);
  const { gate, service } = await GateStage.create(t, 22 as Port, { clock });
  gate.close();
  const firewall = new GatedFirewall(below, gate, isShut);
  await firewall.start([service]);
  t.teardown(() => firewall.stop('open'));
  const door = { protocol: 'tcp', port: gate.port } as const;
  const isOpen = (source = home): boolean => below.connect(source, door);
  const open = (...opens: readonly Opening[]) => firewall.apply({ opens, closes: [], cuts: [] });
  const close = (...closes: readonly GrantId[]) => firewall.apply({ opens: [], closes, cuts: [] });
  return { clock, below, gate, firewall, isOpen, open, close };
}

test('a grant for the gate opens its port to the source, and the service to nobody', async (t) => {
  const { below, gate, isOpen, open } = await setUp(t);
  t.is(below.protected?.length, 2);
  t.false(isOpen());
  const mine = opening();
  t.deepEqual(await open(mine), new Map());
  t.true(isOpen());
  t.true(isOpen(), 'a connection that proves nothing uses nothing up');
  t.false(isOpen(address('203.0.113.8')));
  t.false(below.connect(home, ssh));
  t.true(gate.has(mine.grant));
});

test('the port stays open as long as one of the grants at the source needs it', async (t) => {
  const { clock, isOpen, open, close } = await setUp(t);
  const [mine, his] = [opening(), opening({ peer: 'bob' as PeerName })];
  await open(mine, his);
  await close(mine.grant);
  t.true(isOpen());
  await close(his.grant);
  t.false(isOpen());
  await open(
    opening({ lifetimeMs: 1000 as DurationMs }),
    opening({ lifetimeMs: 5000 as DurationMs }),
  );
  clock.advance(1000);
  t.true(isOpen());
  clock.advance(4000);
  t.false(isOpen());
});

test('a shorter grant does not shorten the time of a longer one', async (t) => {
  const { clock, isOpen, open } = await setUp(t);
  await open(opening({ lifetimeMs: 5000 as DurationMs }));
  await open(opening({ lifetimeMs: 1000 as DurationMs }));
  clock.advance(4999);
  t.true(isOpen());
});

test('the firewall does not know whose connections those to the gate are', async (t) => {
  const { below, open } = await setUp(t);
  const mine = opening();
  await open(mine);
  const [asked] = below.transactions.at(-1)?.opens ?? [];
  t.not(asked?.peer, mine.peer);
});

test('what the firewall refuses is refused in the name of the grant', async (t) => {
  const { below, gate, open } = await setUp(t);
  const mine = opening();
  below.refusedPeers.add('(gate)' as PeerName);
  t.deepEqual([...(await open(mine)).keys()], [mine.grant]);
  t.false(gate.has(mine.grant));
});

test('other admissions pass by', async (t) => {
  const { below, firewall, open } = await setUp(t);
  t.deepEqual(firewall.admissions, ['address', 'once', 'gate']);
  await open(opening({ admission: 'once' }));
  t.true(below.connect(home, ssh));
});

test('where the gate alone decides, the firewall is not asked', async (t) => {
  const { below, gate, open } = await setUp(t, false);
  t.is(below.protected?.length, 1);
  const mine = opening();
  await open(mine);
  t.deepEqual(below.transactions.at(-1)?.opens, []);
  t.true(gate.has(mine.grant));
});

test('a grant that is renewed does not get a second connection', async (t) => {
  const { gate, open } = await setUp(t);
  const mine = opening();
  await open(mine);
  const { identity } = mine.door.gateKey ?? { identity: '' };
  t.truthy(gate.passes.take(identity));
  await open(mine);
  t.is(gate.passes.take(identity), null);
});
