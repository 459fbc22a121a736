// The limit that rationale.md states openly: an attacker on the path carries the whole handshake over its own address.
//
//   client (203.0.113.7) <--> attacker (198.51.100.66) <--> responder
import test from 'ava';
import { start, step } from '../../src/handshake/initiator.ts';
import type { Responder } from '../../src/handshake/responder.ts';
import type { Endpoint } from '../../src/units/network.ts';
import {
  ask,
  at,
  attacker,
  conclusionOf,
  contextOf,
  granted,
  knockIn,
  observedBy,
  outside,
  replyTo,
  responderOf,
  START,
  take,
  told,
} from '../sim/exchange.ts';

const now = at(START + 40);

/** The address for which a grant would be opened, when everything comes from there. */
function grantedFor(responder: Responder, from: Endpoint): string {
  const { response } = ask(responder, { from });
  return knockIn(responder.receive(response, from, now)).knock.observed.address;
}

test('relay: the grant is for the address of the attacker, and the client believes it is its own', (t) => {
  const responder = responderOf();
  const relayed = ask(responder, { from: attacker });
  const { knock, ticket } = knockIn(responder.receive(relayed.response, attacker, now));
  t.deepEqual(knock.observed, attacker);
  const conclusion = conclusionOf(relayed, responder.conclude(ticket, granted));
  t.deepEqual(conclusion.outcome, granted);
  t.deepEqual(conclusion.observed, attacker);
});

test('relay, control: without the attacker the grant is for the client', (t) => {
  t.is(grantedFor(responderOf(), outside), outside.address);
});

test('relay: the client could see it before it proves anything, and stop with nothing left behind', (t) => {
  const responder = responderOf();
  const context = contextOf();
  const { state, send } = start(context, START);
  const [request = new Uint8Array()] = send;
  const challenge = replyTo(responder.receive(request, attacker, START));
  const challenged = take(context, state, challenge);
  t.deepEqual(observedBy(challenged), [attacker]);
  t.is(responder.replayRecordSize, 0);
  // positive control: it is the client's own step that would send the proof
  const proceeded = step(context, challenged, { event: { kind: 'proceed' }, now });
  t.is(told(responder.receive(proceeded.send[0] ?? new Uint8Array(), attacker, now)), 'knock');
});

test('relay: an attacker who carries only a part of it gets nothing', (t) => {
  const responder = responderOf();
  const mine = ask(responder, { from: attacker });
  t.is(
    told(responder.receive(mine.response, outside, now)),
    'source',
    'Challenge for the attacker',
  );
  const theirs = ask(responder, { from: outside, seed: 5 });
  t.is(
    told(responder.receive(theirs.response, attacker, now)),
    'source',
    'Response from the attacker',
  );
  t.is(responder.replayRecordSize, 0);
});

test('relay: the session secret stays with the client, so bound and gate make the grant worthless', (t) => {
  const responder = responderOf();
  const relayed = ask(responder, { from: attacker });
  const { knock, ticket } = knockIn(responder.receive(relayed.response, attacker, now));
  const grant = responder.conclude(ticket, granted);
  const carried = [relayed.request, relayed.challenge, relayed.response, grant];
  t.false(Buffer.concat(carried).includes(Buffer.from(knock.sessionSecret)));
  t.deepEqual(conclusionOf(relayed, grant).sessionSecret, knock.sessionSecret);
});

test('relay: a client that knows its addresses ignores the relayed Challenge and takes the true one', (t) => {
  const responder = responderOf();
  const context = { ...contextOf(), canHave: (address: string) => address === outside.address };
  const { state, send } = start(context, START);
  const [request = new Uint8Array()] = send;
  const relayed = take(context, state, replyTo(responder.receive(request, attacker, START)));
  t.is(relayed.kind, 'requesting');
  const challenged = take(context, relayed, replyTo(responder.receive(request, outside, START)));
  t.deepEqual(observedBy(challenged), [outside]);
  t.is(step(context, challenged, { event: { kind: 'proceed' }, now }).send.length, 1);
});
