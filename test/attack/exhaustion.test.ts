// T-08 DoS-knocking (Manzanares et al. 2005) and T-09 filling a table: floods of garbage, of replays, and of a peer gone bad.
import test, { type ExecutionContext } from 'ava';
import { CHALLENGE_LIFE_MS } from '../../src/handshake/challenger.ts';
import type { Responder } from '../../src/handshake/responder.ts';
import { concat } from '../../src/bytes/bytes.ts';
import { FakeEntropy } from '../../src/host/fake-entropy.ts';
import {
  alice,
  ask,
  at,
  attacker,
  bob,
  conclusionOf,
  endpoint,
  granted,
  knockIn,
  outside,
  replyTo,
  requestOf,
  responderOf,
  START,
  told,
} from '../sim/exchange.ts';

const now = at(START + 40);

/** Asserts that alice gets in with the first datagrams she sends. */
function aliceGetsIn(t: ExecutionContext, responder: Responder, seed: number): void {
  const asked = ask(responder, { seed, now });
  const { ticket } = knockIn(responder.receive(asked.response, outside, now));
  t.deepEqual(conclusionOf(asked, responder.conclude(ticket, granted)).outcome, granted);
}

test('T-08, T-09: 100,000 pieces of garbage keep nobody out and fill nothing', (t) => {
  const responder = responderOf({ capacity: 2 });
  const random = new FakeEntropy(13);
  const garbage = [
    random.bytes(100),
    random.bytes(222),
    concat(alice.tag, random.bytes(92)),
    concat(alice.tag, random.bytes(214)),
    random.bytes(50),
  ];
  for (let i = 0; i < 20_000; i++) {
    for (const bytes of garbage) {
      // spoofed, from alice's own address as well
      const source = i % 2 === 0 ? outside : { ...attacker, port: i };
      if (responder.receive(bytes, source, now).kind !== 'drop') t.fail();
    }
  }
  t.is(responder.replayRecordSize, 0);
  aliceGetsIn(t, responder, 1);
});

test('T-08, T-09: 100,000 recorded Requests from 100,000 sources keep nobody out and fill nothing', (t) => {
  const responder = responderOf({ capacity: 2, perPeer: { perSecond: 0, burst: 1 } });
  const recorded = [1, 2, 3, 4].map((seed) => requestOf({ seed }));
  for (let i = 0; i < 25_000; i++) {
    const source = endpoint(`198.51.${String(i >> 8)}.${String(i & 255)}`, 1 + (i & 0xff));
    for (const bytes of recorded) {
      if (responder.receive(bytes, source, now).kind !== 'reply') t.fail();
    }
  }
  t.is(responder.replayRecordSize, 0);
  // and with the one knock that her limit allows
  aliceGetsIn(t, responder, 5);
});

test('T-08: a Response repeated without end takes one place and one token', (t) => {
  const responder = responderOf({ capacity: 2, perPeer: { perSecond: 0, burst: 2 } });
  const { response } = ask(responder);
  const { ticket } = knockIn(responder.receive(response, outside, now));
  for (let i = 0; i < 1_000; i++) t.is(told(responder.receive(response, outside, now)), 'pending');
  responder.conclude(ticket, granted);
  for (let i = 0; i < 1_000; i++) t.is(told(responder.receive(response, outside, now)), 'reply');
  for (let i = 0; i < 1_000; i++) t.is(told(responder.receive(response, attacker, now)), 'source');
  t.is(responder.replayRecordSize, 1);
  aliceGetsIn(t, responder, 5);
});

test('T-08: repeating a Response that was refused uses up nothing of its peer', (t) => {
  // with one token for alice, and a record that bob fills until the challenges expire
  const responder = responderOf({ capacity: 1, perPeer: { perSecond: 0, burst: 1 } });
  const bobs = ask(responder, { as: bob, from: attacker, seed: 5 });
  knockIn(responder.receive(bobs.response, attacker, START));
  const asked = ask(responder);
  for (let i = 0; i < 1_000; i++) {
    const { outcome } = conclusionOf(
      asked,
      replyTo(responder.receive(asked.response, outside, now)),
    );
    if (outcome.kind !== 'refused' || outcome.reason !== 'busy') t.fail();
  }
  const recovered = at(START + CHALLENGE_LIFE_MS + 1);
  const again = ask(responder, { seed: 6, now: recovered });
  t.is(told(responder.receive(again.response, outside, recovered)), 'knock');
});

test('T-08: a peer gone bad uses up its own limit, not the record and not the limits of others', (t) => {
  const responder = responderOf({ capacity: 8, perPeer: { perSecond: 1, burst: 3 } });
  let opened = 0;
  for (let seed = 1; seed <= 500; seed++) {
    const asked = ask(responder, { as: bob, from: attacker, seed, now });
    const judged = responder.receive(asked.response, attacker, now);
    if (judged.kind === 'knock') opened += 1;
    else {
      const { outcome } = conclusionOf(asked, replyTo(judged));
      t.like(outcome, { kind: 'refused', reason: 'limit-reached' });
    }
  }
  t.is(opened, 3);
  t.is(responder.replayRecordSize, 3);
  aliceGetsIn(t, responder, 1);
});

test('T-09: a record filled by peers refuses, says so under seal, and recovers', (t) => {
  const CAPACITY = 32;
  const responder = responderOf({ capacity: CAPACITY });
  for (let seed = 1; seed <= CAPACITY; seed++) {
    const { response } = ask(responder, { as: bob, from: attacker, seed });
    knockIn(responder.receive(response, attacker, START));
  }
  t.is(responder.replayRecordSize, CAPACITY, 'positive control: it is full');

  const asked = ask(responder);
  const busy = replyTo(responder.receive(asked.response, outside, START));
  t.deepEqual(conclusionOf(asked, busy).outcome, {
    kind: 'refused',
    reason: 'busy',
    acceptable: [],
  });
  t.is(responder.replayRecordSize, CAPACITY);

  const recovered = at(START + CHALLENGE_LIFE_MS + 1);
  const again = ask(responder, { seed: 5, now: recovered });
  knockIn(responder.receive(again.response, outside, recovered));
  t.is(responder.replayRecordSize, 1);
});

test('T-09: while the record is full nothing that is in it opens again', (t) => {
  const responder = responderOf({ capacity: 1 });
  const { response } = ask(responder);
  const { ticket } = knockIn(responder.receive(response, outside, now));
  const grant = responder.conclude(ticket, granted);
  for (let seed = 1; seed <= 50; seed++) {
    const other = ask(responder, { as: bob, from: attacker, seed });
    t.is(told(responder.receive(other.response, attacker, now)), 'reply');
    t.deepEqual(replyTo(responder.receive(response, outside, now)), grant);
  }
});
