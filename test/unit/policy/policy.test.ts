import test from 'ava';
import fc from 'fast-check';
import {
  decide,
  type PeerPolicy,
  type Plan,
  type Policy,
  type ServicePolicy,
} from '../../../src/policy/policy.ts';
import { type Admission, admissions, isAtLeastAsNarrow } from '../../../src/units/admission.ts';
import type { Refused } from '../../../src/units/knock.ts';
import { parsePeerName, parseServiceName } from '../../../src/units/names.ts';
import { parseServicePort, type Port } from '../../../src/units/network.ts';
import { parseDuration } from '../../../src/units/time.ts';
import { address } from '../grants/plans.ts';

const alice = parsePeerName('alice');
const ssh = parseServiceName('ssh');
const web = parseServiceName('web');
const source = address('203.0.113.7');
const observed = { address: source, port: 40_001 };

interface Case {
  readonly service?: Partial<ServicePolicy>;
  readonly peer?: Partial<PeerPolicy>;
  readonly asked?: Admission | null;
  readonly enforceable?: readonly Admission[];
}

function policyWith({ service, peer }: Case): Policy {
  const sshPolicy: ServicePolicy = {
    name: ssh,
    ports: [parseServicePort('tcp/22'), parseServicePort('udp/60001')],
    admission: 'once',
    lifetimeMs: parseDuration('30s'),
    flowKeepMs: parseDuration('1h'),
    ...service,
  };
  const alicePolicy: PeerPolicy = {
    name: alice,
    services: [ssh],
    admission: null,
    lifetimeMs: null,
    ...peer,
  };
  return {
    services: new Map([
      [ssh, sshPolicy],
      [web, { ...sshPolicy, name: web }],
    ]),
    peers: new Map([[alice, alicePolicy]]),
  };
}

function decided(each: Case = {}): Plan | Refused {
  const { asked = null, enforceable = ['address', 'once'] } = each;
  const knock = { peer: alice, service: ssh, admission: asked, observed };
  return decide(policyWith(each), knock, enforceable);
}

function admissionOf(plan: Plan | Refused): Admission | 'refused' {
  return 'kind' in plan ? 'refused' : plan.admission;
}

test('a peer gets what the service says, for the address that knocked', (t) => {
  t.deepEqual(decided(), {
    peer: alice,
    service: ssh,
    source,
    ports: [parseServicePort('tcp/22'), parseServicePort('udp/60001')],
    admission: 'once',
    lifetimeMs: parseDuration('30s'),
  });
});

test('a lifetime that is asked for shortens what policy allows, and never prolongs it', (t) => {
  for (const [asked, got] of [
    ['1s', '1s'],
    ['5m', '30s'],
  ] as const) {
    const wish = { peer: alice, service: ssh, admission: null, observed };
    const lifetimeMs = parseDuration(asked);
    const plan = decide(policyWith({}), { ...wish, lifetimeMs }, ['once']);
    t.like(plan, { lifetimeMs: parseDuration(got) });
  }
});

test('what the peer says about its lifetime counts before the service', (t) => {
  const plan = decided({ peer: { lifetimeMs: parseDuration('5m') } });
  t.like(plan, { lifetimeMs: parseDuration('5m') });
});

for (const [title, peer, service] of [
  ['a service that is not there', alice, parseServiceName('ftp')],
  ['a service that is not the peer’s', alice, web],
  ['a peer that policy does not know', parsePeerName('mallory'), ssh],
] as const) {
  test(`${title} is refused, and all three look the same`, (t) => {
    const knock = { peer, service, admission: null, observed };
    t.deepEqual(decide(policyWith({}), knock, ['address', 'once']), {
      kind: 'refused',
      reason: 'service-refused',
      acceptable: [],
    });
  });
}

test('a client that nobody answers gets what goes by its source, and nothing narrower', (t) => {
  const told = { peer: alice, service: ssh, admission: null, observed };
  const wish = { ...told, isUntold: true } as const;
  const one = { ports: [parseServicePort('tcp/22')] };
  for (const admission of admissions) {
    const policy = policyWith({ service: { ...one, admission } });
    const isPossible = admission === 'address' || admission === 'once';
    t.is(admissionOf(decide(policy, wish, admissions)), isPossible ? admission : 'refused');
    t.is(admissionOf(decide(policy, told, admissions)), admission, 'control: one who is told');
  }
  const chosen = { ...wish, admission: 'port', entrance: 20_000 as Port } as const;
  const open = policyWith({ service: { ...one, admission: 'once' } });
  t.is(admissionOf(decide(open, chosen, admissions)), 'port', 'a port that it has named itself');
  t.is(admissionOf(decide(open, chosen, ['address', 'once'])), 'refused');
  const narrowed = policyWith({ service: one, peer: { admission: 'gate' } });
  t.like(decide(narrowed, wish, admissions), { reason: 'admission-refused', acceptable: [] });
});

test('a wider admission than the service accepts is refused, with what it would accept', (t) => {
  t.deepEqual(decided({ asked: 'address' }), {
    kind: 'refused',
    reason: 'admission-refused',
    acceptable: ['once'],
  });
});

test('a narrower admission than needed is given when asked for', (t) => {
  t.is(admissionOf(decided({ service: { admission: 'address' }, asked: 'once' })), 'once');
});

test('without a wish a peer gets the widest admission that is accepted', (t) => {
  t.is(admissionOf(decided({ service: { admission: 'address' } })), 'address');
});

test('a peer can be held to less than the service accepts, and never given more', (t) => {
  const narrowed = { service: { admission: 'address' }, peer: { admission: 'once' } } as const;
  t.is(admissionOf(decided(narrowed)), 'once');
  t.is(admissionOf(decided({ ...narrowed, asked: 'address' })), 'refused');
  const widened = { service: { admission: 'once' }, peer: { admission: 'address' } } as const;
  t.is(admissionOf(decided(widened)), 'once');
  t.is(admissionOf(decided({ ...widened, asked: 'address' })), 'refused');
});

test('what the firewall cannot enforce is refused, never made wider', (t) => {
  t.deepEqual(decided({ service: { admission: 'gate' } }), {
    kind: 'refused',
    reason: 'admission-refused',
    acceptable: [],
  });
  t.is(admissionOf(decided({ asked: 'bound' })), 'refused');
});

test('flows may keep grants for the address to UDP ports, as long as the service says, and no others', (t) => {
  const wide = { admission: 'address' } as const;
  const keepOf = (decided: Plan | Refused) => ('kind' in decided ? null : decided.flowKeepMs);
  t.is(keepOf(decided({ service: wide })), parseDuration('1h'));
  t.is(keepOf(decided({ service: wide, asked: 'once' })), undefined);
  const wish = { peer: alice, service: ssh, admission: null, observed } as const;
  const sooner = { ...wish, lifetimeMs: parseDuration('10s') };
  t.is(keepOf(decide(policyWith({ service: wide }), sooner, ['address'])), undefined);
  const byCertificate = {
    ...wish,
    authorised: [parseServicePort('tcp/22'), parseServicePort('udp/60001')],
  };
  t.is(keepOf(decide(policyWith({ service: wide }), byCertificate, ['address'])), undefined);
  const tcpOnly = { ...wide, ports: [parseServicePort('tcp/22')] };
  t.is(keepOf(decided({ service: tcpOnly })), undefined);
});

test('a prefix is for who asks for it, and for whom both service and peer allow it', (t) => {
  const wish = { peer: alice, service: ssh, admission: null, observed } as const;
  const both = { service: { prefix: true }, peer: { prefix: true } } as const;
  const enforceable = ['address', 'once', 'gate'] as const;
  const broad = { ...wish, breadth: 'prefix' } as const;
  t.like(decide(policyWith(both), broad, enforceable), { admission: 'once', breadth: 'prefix' });
  t.false('breadth' in decide(policyWith(both), wish, enforceable));
  for (const half of [{}, { service: both.service }, { peer: both.peer }]) {
    t.like(decide(policyWith(half), broad, enforceable), { reason: 'prefix-refused' });
  }
  const withOwn = {
    ...broad,
    authorised: [parseServicePort('tcp/22'), parseServicePort('udp/60001')],
  };
  t.like(decide(policyWith(both), withOwn, enforceable), { reason: 'prefix-refused' });
  const gate = { ...broad, admission: 'gate' } as const;
  t.like(decide(policyWith(both), gate, enforceable), { acceptable: ['once'] });
});

test('the gate is for TCP and for UDP', (t) => {
  const enforceable = ['once', 'gate'] as const;
  t.is(admissionOf(decided({ asked: 'gate', enforceable })), 'gate');
  const service = { ports: [parseServicePort('udp/60001')] };
  t.is(admissionOf(decided({ asked: 'gate', enforceable, service })), 'gate');
});

test('no grant is ever wider than service and peer say, than was asked, or than can be enforced', (t) => {
  const admission = fc.constantFrom(...admissions);
  const property = fc.property(
    admission,
    fc.option(admission),
    fc.option(admission),
    fc.subarray([...admissions]),
    (ofService, ofPeer, asked, enforceable) => {
      const plan = decided({
        service: { admission: ofService },
        peer: { admission: ofPeer },
        asked,
        enforceable,
      });
      if ('kind' in plan) {
        for (const each of plan.acceptable) {
          t.true(enforceable.includes(each) && isAtLeastAsNarrow(each, ofService));
        }
        return;
      }
      t.true(enforceable.includes(plan.admission));
      t.true(isAtLeastAsNarrow(plan.admission, ofService));
      if (ofPeer !== null) t.true(isAtLeastAsNarrow(plan.admission, ofPeer));
      if (asked !== null) t.is(plan.admission, asked);
    },
  );
  fc.assert(property);
});

const tcp22 = parseServicePort('tcp/22');
const udp60001 = parseServicePort('udp/60001');
const stranger = { peer: parsePeerName('carol'), service: ssh, admission: null, observed };

test('a credential that allows all ports of a service needs no peer’s file', (t) => {
  const authorised = [parseServicePort('tcp/80'), udp60001, tcp22];
  t.deepEqual(decide(policyWith({}), { ...stranger, authorised }, ['address', 'once']), {
    peer: stranger.peer,
    service: ssh,
    source,
    ports: [tcp22, udp60001],
    admission: 'once',
    lifetimeMs: parseDuration('30s'),
    authorised,
  });
});

for (const [title, authorised] of [
  ['nothing', []],
  ['only some of the ports', [tcp22]],
  ['the same number of the other protocol', [tcp22, parseServicePort('tcp/60001')]],
] as const) {
  test(`a credential that allows ${title} opens nothing`, (t) => {
    t.like(decide(policyWith({}), { ...stranger, authorised }, ['once']), {
      kind: 'refused',
      reason: 'service-refused',
    });
  });
}

test('a credential with ports of its own gets nothing by the file of a peer of that name', (t) => {
  const knock = { ...stranger, peer: alice, authorised: [] };
  t.like(decide(policyWith({}), knock, ['once']), { kind: 'refused' });
});

test('where one port is wanted, it alone is opened, and it alone must be allowed', (t) => {
  const knock = { ...stranger, authorised: [udp60001], port: udp60001 };
  t.like(decide(policyWith({}), knock, ['once']), { ports: [udp60001], port: udp60001 });
  t.like(decide(policyWith({}), { ...knock, port: tcp22 }, ['once']), { kind: 'refused' });
});

test('a port that is not the service’s is refused, even to a credential that allows it', (t) => {
  const port = parseServicePort('tcp/80');
  const knock = { ...stranger, authorised: [port], port };
  t.like(decide(policyWith({}), knock, ['once']), { kind: 'refused', reason: 'service-refused' });
});

test('the policy comes to the same about its own plan', (t) => {
  const policy = policyWith({ service: { admission: 'address' } });
  const knock = { ...stranger, authorised: [udp60001], port: udp60001 };
  const plan = decide(policy, knock, ['address', 'once']);
  if ('kind' in plan) throw new Error(plan.reason);
  t.deepEqual(decide(policy, { ...plan, observed }, ['address', 'once']), plan);
});

test('what leads to one port only is not for services of several, unless the knock names one', (t) => {
  const enforceable: readonly Admission[] = ['once', 'port', 'bound', 'gate'];
  const [tcp, udp] = ['tcp/22', 'udp/60001'].map(parseServicePort);
  if (tcp === undefined || udp === undefined) throw new Error('no ports');
  const acceptable = (ports: ServicePolicy['ports']) => {
    const refused = decided({ service: { ports }, enforceable, asked: 'address' });
    return 'acceptable' in refused ? refused.acceptable : [];
  };
  t.deepEqual(acceptable([tcp, udp]), ['once', 'gate']);
  t.deepEqual(acceptable([tcp]), ['once', 'port', 'bound', 'gate']);
  t.deepEqual(acceptable([udp]), ['once', 'port', 'gate']);
  const wish = { peer: alice, service: ssh, admission: 'port', observed, port: tcp } as const;
  t.like(decide(policyWith({}), wish, enforceable), { admission: 'port', ports: [tcp] });
});
