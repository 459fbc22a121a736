import test from 'ava';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { Leases } from '../../../src/handshake/leases.ts';
import type { Responder } from '../../../src/handshake/responder.ts';
import { LEASE_ANSWER_LENGTH } from '../../../src/handshake/wire/lease-answer.ts';
import { leaseEnd } from '../../../src/units/lease.ts';
import { type GrantId, parsePeerName } from '../../../src/units/names.ts';
import {
  alice,
  ask,
  at,
  attacker,
  bob,
  flips,
  granted,
  knockIn,
  leaseOf,
  otherLengths,
  outside,
  responderOf,
  START,
  told,
} from '../../sim/exchange.ts';

const now = at(START + 40);

/** Has alice let in; gives her session secret. */
function letIn(responder: Responder): Uint8Array {
  const { knock, ticket } = knockIn(responder.receive(ask(responder).response, outside, now));
  responder.conclude(ticket, granted);
  return knock.sessionSecret;
}

test('T-16: a Lease of another length or with one bit changed is dropped, and the true one is taken', (t) => {
  const responder = responderOf();
  const { bytes } = leaseOf(letIn(responder));
  for (const other of otherLengths(bytes))
    t.is(told(responder.receive(other, outside, now)), 'length');
  let bit = 0;
  for (const other of flips(bytes)) {
    const expected = bit < 64 ? 'tag' : bit < 128 ? 'lease' : 'mac';
    t.is(told(responder.receive(other, outside, now)), expected, String(bit));
    bit += 1;
  }
  t.is(told(responder.receive(bytes, outside, now)), 'lease');
});

test('T-17: another peer cannot speak for a grant, whatever it knows of the session', (t) => {
  const responder = responderOf();
  const { bytes } = leaseOf(letIn(responder), { as: bob });
  t.deepEqual(responder.receive(bytes, outside, now), { kind: 'drop', reason: 'lease' });
});

test('T-17: a recorded Lease is answered with the same bytes there, and with silence elsewhere', (t) => {
  const responder = responderOf();
  const { bytes } = leaseOf(letIn(responder));
  const first = responder.receive(bytes, outside, now);
  if (first.kind !== 'lease') return t.fail(told(first));
  const answer = responder.concludeLease(first.ticket, leaseEnd('done'));
  t.is(answer?.length, LEASE_ANSWER_LENGTH);
  t.true(LEASE_ANSWER_LENGTH <= bytes.length, 'P3');
  t.deepEqual(responder.receive(bytes, outside, now), { kind: 'reply', bytes: answer });
  t.is(told(responder.receive(bytes, attacker, now)), 'source');
});

test('an answer that comes after that to a later Lease does not take its place', (t) => {
  const responder = responderOf();
  const session = letIn(responder);
  const [first, second] = [leaseOf(session), leaseOf(session, { sequence: 2, operation: 'close' })];
  const [one, two] = [first, second].map(({ bytes }) => responder.receive(bytes, outside, now));
  if (one?.kind !== 'lease' || two?.kind !== 'lease') return t.fail();
  const closed = responder.concludeLease(two.ticket, leaseEnd('done'));
  t.deepEqual(
    first.read(responder.concludeLease(one.ticket, leaseEnd('over')) ?? undefined),
    leaseEnd('over'),
  );
  t.deepEqual(responder.receive(second.bytes, outside, now), { kind: 'reply', bytes: closed });
});

const entropy = new FakeEntropy(3);

function leased(grant: string) {
  const session = entropy.bytes(32);
  const peer = parsePeerName('alice');
  const whose = { tag: alice.tag, session, peer, source: outside.address };
  return { ...whose, grant: grant as GrantId, endsAt: at(START + 30_000) };
}

/** Whether a session has a lease. */
function isKept(leases: Leases, session: Uint8Array): boolean {
  const datagram = leaseOf(session).bytes;
  return leases.judge({ datagram, source: outside, now, objection: () => 'limit' }) === 'limit';
}

test('T-09: one grant has at most 16 leases, and the first makes way', (t) => {
  const leases = new Leases();
  const all = Array.from({ length: 20 }, () => leased('0123456789abcdef'));
  for (const each of all) leases.begin(each, now);
  t.is(leases.size, 16);
  t.deepEqual(
    all.map(({ session }) => isKept(leases, session)),
    all.map((_, index) => index >= 4),
  );
});

test('T-09: leases that are over make room, and those in force stay', (t) => {
  const leases = new Leases();
  const grantOf = (index: number): string => index.toString(16).padStart(16, '0');
  for (let index = 0; index < 1024; index++) leases.begin(leased(grantOf(index)), now);
  const later = at(START + 30_000 + 10_001);
  const last = { ...leased(grantOf(1024)), endsAt: at(later + 1) };
  leases.begin(last, later);
  t.is(leases.size, 1);
  t.true(isKept(leases, last.session));
});
