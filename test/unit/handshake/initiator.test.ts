import test from 'ava';
import {
  type InitiatorContext,
  type InitiatorState,
  nextTimerAt,
  start,
  step,
} from '../../../src/handshake/initiator.ts';
import type { MonotonicMs } from '../../../src/units/time.ts';
import {
  ask,
  at,
  attacker,
  contextOf,
  endpoint,
  granted,
  knockIn,
  observedBy,
  outside,
  replyTo,
  responderOf,
  START,
  take,
  told,
} from '../../sim/exchange.ts';

interface Life {
  readonly sentAt: readonly number[];
  readonly endedAt: number;
  readonly last: InitiatorState;
  readonly datagrams: ReadonlySet<string>;
}

/** Lets the timers run until the state waits for none, each one `lateMs` after it was due. */
function liveAlone(context: InitiatorContext, from: InitiatorState, lateMs = 0): Life {
  const sentAt = [0];
  const datagrams = new Set<string>();
  let state = from;
  let now = START;
  for (let due = nextTimerAt(state); due !== null; due = nextTimerAt(state)) {
    now = at(due + lateMs);
    const next = step(context, state, { event: { kind: 'timer' }, now });
    for (const datagram of next.send) {
      sentAt.push(now - START);
      datagrams.add(String(datagram));
    }
    state = next.state;
  }
  return { sentAt, endedAt: now - START, last: state, datagrams };
}

for (const kind of ['requesting', 'responding'] as const) {
  test(`${kind}: sends five times at 0, 250, 750, 1750 and 3750 ms, and gives up at 7750`, (t) => {
    const asked = ask(responderOf());
    const { sentAt, endedAt, last, datagrams } = liveAlone(asked.context, asked[kind]);
    t.deepEqual(sentAt, [0, 250, 750, 1750, 3750]);
    t.is(endedAt, 7750);
    const reason = kind === 'requesting' ? 'no-challenge' : 'no-grant';
    t.deepEqual(last, { kind: 'failed', reason });
    // the same bytes each time
    t.deepEqual(
      datagrams,
      new Set([String(kind === 'requesting' ? asked.request : asked.response)]),
    );
  });
}

test('timers that come late put nothing together and lose no try', (t) => {
  const context = contextOf();
  const { sentAt, endedAt } = liveAlone(context, start(context, START).state, 100);
  t.deepEqual(sentAt, [0, 350, 950, 2050, 4150]);
  t.is(endedAt, 8250);
});

test('a timer that comes early changes nothing', (t) => {
  const context = contextOf();
  const { state } = start(context, START);
  for (const ms of [0, 1, 249]) {
    const early = step(context, state, { event: { kind: 'timer' }, now: at(START + ms) });
    t.is(early.state, state);
    t.deepEqual(early.send, []);
  }
});

test('the last moment counts: an answer to the fifth try is taken', (t) => {
  const responder = responderOf();
  const asked = ask(responder);
  const almost = tickUntil(asked.context, asked.requesting, at(START + 7749));
  t.is(take(asked.context, almost, asked.challenge).kind, 'challenged');
});

test('what has ended stays ended', (t) => {
  const responder = responderOf();
  const asked = ask(responder);
  const grant = responder.conclude(
    knockIn(responder.receive(asked.response, outside, START)).ticket,
    granted,
  );
  const { last: failed } = liveAlone(asked.context, asked.requesting);
  const concluded = take(asked.context, asked.responding, grant);
  t.is(concluded.kind, 'concluded');
  for (const state of [failed, concluded]) {
    t.is(nextTimerAt(state), null);
    for (const bytes of [asked.challenge, grant]) t.is(take(asked.context, state, bytes), state);
    for (const kind of ['timer', 'proceed'] as const) {
      const next = step(asked.context, state, { event: { kind }, now: at(START + 60_000) });
      t.deepEqual(next, { state, send: [] });
    }
  }
});

test('T-07: the first Challenge is answered first, the others with the next timer, each address once', (t) => {
  const responder = responderOf();
  const { context, requesting, request, challenge } = ask(responder);
  const elsewhere = replyTo(responder.receive(request, attacker, START));
  const again = replyTo(responder.receive(request, { ...attacker, port: 1 }, START));
  const challenged = [challenge, elsewhere, again].reduce(
    (state, bytes) => take(context, state, bytes),
    requesting,
  );
  t.deepEqual(observedBy(challenged), [outside, attacker]);
  const first = step(context, challenged, { event: { kind: 'proceed' }, now: START });
  const next = step(context, first.state, { event: { kind: 'timer' }, now: at(START + 250) });
  t.is(first.send.length, 1);
  t.is(next.send.length, 2);
  t.deepEqual(next.send[0], first.send[0]);
  const [mine = request, theirs = request] = next.send;
  t.is(told(responder.receive(mine, outside, START)), 'knock');
  t.is(told(responder.receive(theirs, attacker, START)), 'knock');
});

test('T-09: no flood of Challenges makes a handshake grow without end', (t) => {
  const responder = responderOf();
  const { context, requesting, request } = ask(responder);
  let state = requesting;
  for (let i = 0; i < 100; i++) {
    const from = endpoint(`2001:db8::${String(i)}`, 1);
    state = take(context, state, replyTo(responder.receive(request, from, START)));
  }
  t.is(observedBy(state).length, 8);
});

test('a Grant that does not keep to the admission asked for is ignored', (t) => {
  const responder = responderOf();
  const asked = ask(responder);
  const { ticket } = knockIn(responder.receive(asked.response, outside, START));
  const wider = responder.conclude(ticket, { ...granted, admission: 'address' });
  t.is(take(asked.context, asked.responding, wider), asked.responding);
});

test('proceeds only from a Challenge', (t) => {
  const asked = ask(responderOf());
  for (const state of [asked.requesting, asked.responding]) {
    const next = step(asked.context, state, { event: { kind: 'proceed' }, now: START });
    t.deepEqual(next, { state, send: [] });
  }
});

test('waits for nothing while the caller chooses', (t) => {
  const { context, challenged } = ask(responderOf());
  t.is(nextTimerAt(challenged), null);
  const next = step(context, challenged, { event: { kind: 'timer' }, now: at(START + 60_000) });
  t.deepEqual(next, { state: challenged, send: [] });
});

test('the nonces of two handshakes are different', (t) => {
  const context = contextOf();
  const first = start(context, START);
  t.notDeepEqual(start(context, START).send, first.send);
});

function tickUntil(
  context: InitiatorContext,
  from: InitiatorState,
  end: MonotonicMs,
): InitiatorState {
  let state = from;
  for (let due = nextTimerAt(state); due !== null && due <= end; due = nextTimerAt(state)) {
    state = step(context, state, { event: { kind: 'timer' }, now: due }).state;
  }
  return state;
}
