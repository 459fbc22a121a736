// Every truncated prefix, one byte more, every bit flipped, for all four messages at the side that receives them.
import test, { type ExecutionContext } from 'ava';
import { type InitiatorState, step } from '../../../src/handshake/initiator.ts';
import type { Responder } from '../../../src/handshake/responder.ts';
import {
  ask,
  type Asked,
  at,
  conclusionOf,
  flips,
  granted,
  knockIn,
  otherLengths,
  outside,
  replyTo,
  responderOf,
  START,
  take,
  told,
} from '../../sim/exchange.ts';

const now = at(START + 40);

for (const message of ['request', 'response'] as const) {
  test(`T-16: a ${message} of another length is dropped for its length, or as a stranger's`, (t) => {
    const responder = responderOf();
    const asked = ask(responder);
    for (const bytes of otherLengths(asked[message])) {
      const expected = ({ 72: 'lease', 100: 'mac' } as const)[bytes.length] ?? 'length';
      t.is(told(responder.receive(bytes, outside, now)), expected, String(bytes.length));
    }
    stillWorks(t, responder, asked);
  });

  test(`T-16: a ${message} with one bit changed is dropped for its tag or its seal`, (t) => {
    const responder = responderOf();
    const asked = ask(responder);
    let bit = 0;
    for (const bytes of flips(asked[message])) {
      const expected = bit < 64 ? 'tag' : 'mac';
      t.is(told(responder.receive(bytes, outside, now)), expected, String(bit));
      bit += 1;
    }
    stillWorks(t, responder, asked);
  });
}

test('T-16: a Challenge of another length or with one bit changed changes nothing', (t) => {
  const asked = ask(responderOf());
  const { context, requesting, challenge } = asked;
  ignoresAll(t, { asked, state: requesting }, otherLengths(challenge));
  ignoresAll(t, { asked, state: requesting }, flips(challenge));
  t.is(take(context, requesting, challenge).kind, 'challenged');
});

test('T-16: a Grant of another length or with one bit changed changes nothing', (t) => {
  const responder = responderOf();
  const asked = ask(responder);
  const { ticket } = knockIn(responder.receive(asked.response, outside, now));
  const grant = responder.conclude(ticket, granted);
  ignoresAll(t, { asked, state: asked.responding }, otherLengths(grant));
  ignoresAll(t, { asked, state: asked.responding }, flips(grant));
  t.deepEqual(conclusionOf(asked, grant).outcome, granted);
});

test('T-16: no message is taken for another, at either side', (t) => {
  const responder = responderOf();
  const asked = ask(responder);
  const { ticket } = knockIn(responder.receive(asked.response, outside, now));
  const grant = responder.conclude(ticket, granted);
  t.is(told(responder.receive(asked.challenge, outside, now)), 'tag');
  t.is(told(responder.receive(grant, outside, now)), 'length');
  const { request, challenge, response } = asked;
  ignoresAll(t, { asked, state: asked.requesting }, [request, response, grant]);
  ignoresAll(t, { asked, state: asked.challenged }, [request, challenge, response, grant]);
  ignoresAll(t, { asked, state: asked.responding }, [request, challenge, response]);
});

// a socket may use the memory of a datagram again as soon as the call has returned
test('neither side holds on to the memory of a datagram', (t) => {
  const responder = responderOf();
  const reused = new Uint8Array(1200);
  const lent = (bytes: Uint8Array): Uint8Array => {
    reused.set(bytes);
    return reused.subarray(0, bytes.length);
  };
  const asked = ask(responder);
  const { context, requesting, challenge, response } = asked;
  const challenged = take(context, requesting, lent(challenge));
  reused.fill(0xee);
  const { state: responding, send } = step(context, challenged, {
    event: { kind: 'proceed' },
    now,
  });
  const [again = response] = send;
  const { ticket } = knockIn(responder.receive(lent(again), outside, now));
  reused.fill(0xee);
  const grant = responder.conclude(ticket, granted);
  t.deepEqual(replyTo(responder.receive(again, outside, now)), grant);
  const concluded = take(context, responding, lent(grant));
  reused.fill(0xee);
  t.like(concluded, { kind: 'concluded', conclusion: { outcome: granted, observed: outside } });
});

function ignoresAll(
  t: ExecutionContext,
  { asked, state }: { asked: Asked; state: InitiatorState },
  datagrams: Iterable<Uint8Array>,
): void {
  for (const bytes of datagrams) {
    const after = step(asked.context, state, { event: { kind: 'datagram', bytes }, now });
    // the very same object: not one field can have changed
    t.is(after.state, state);
    t.deepEqual(after.send, []);
  }
}

/** Nothing was kept, and the true datagrams still count. */
function stillWorks(t: ExecutionContext, responder: Responder, asked: Asked): void {
  t.is(responder.replayRecordSize, 0);
  t.is(replyTo(responder.receive(asked.request, outside, now)).length, 100);
  const { ticket } = knockIn(responder.receive(asked.response, outside, now));
  t.deepEqual(conclusionOf(asked, responder.conclude(ticket, granted)).outcome, granted);
}
