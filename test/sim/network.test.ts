import test from 'ava';
import type { Conclusion } from '../../src/handshake/initiator.ts';
import { type Endpoint, formatEndpoint } from '../../src/units/network.ts';
import { alice, bob, endpoint, granted, outside, refused } from './exchange.ts';
import { type Intrusion, LOST, ONE_WAY_MS, PERFECT, World } from './world.ts';

const ROUND_TRIP_MS = 2 * ONE_WAY_MS;
const GIVES_UP_MS = 7_750;

function stranger(number: number): Endpoint {
  return endpoint(`198.51.100.${String(number)}`, 4_000);
}

function conclusionsOf({ clients }: World): (Conclusion | null)[] {
  return clients.map(({ state }) => (state?.kind === 'concluded' ? state.conclusion : null));
}

function endsOf({ clients }: World): (string | undefined)[] {
  return clients.map(({ state }) => (state?.kind === 'failed' ? state.reason : state?.kind));
}

test('an undisturbed handshake takes two round trips and four datagrams', (t) => {
  const world = World.run({ policyMs: 1 });
  const [conclusion] = conclusionsOf(world);
  t.deepEqual(conclusion?.outcome, granted);
  t.is(world.clients[0]?.endedAtMs, 2 * ROUND_TRIP_MS + 1);
  t.deepEqual(
    world.seen.map(({ length }) => length),
    [100, 100, 222, 126],
  );
});

['Request', 'Challenge', 'Response', 'Grant'].forEach((name, index) => {
  test(`a lost ${name} costs time only`, (t) => {
    const world = World.run({ fates: [...new Array<typeof LOST>(index).fill(PERFECT), LOST] });
    t.deepEqual(endsOf(world), ['concluded']);
    t.is(world.clients[0]?.endedAtMs, 2 * ROUND_TRIP_MS + (index === 3 ? 250 : 251));
    t.is(world.handed.length, 1);
  });
});

test('P6: when four Grants are lost, the fifth is the same and nothing more was opened', (t) => {
  const lostGrants = [PERFECT, PERFECT, PERFECT, LOST, PERFECT, LOST, PERFECT, LOST, PERFECT, LOST];
  const world = World.run({ fates: lostGrants });
  t.deepEqual(endsOf(world), ['concluded']);
  t.is(world.handed.length, 1);
  const grants = world.seen.filter(({ length }) => length === 126);
  t.is(grants.length, 5);
  t.is(new Set(grants.map(String)).size, 1);
});

test('gives up after five Requests when nobody is there', (t) => {
  const world = World.run({ fates: new Array<typeof LOST>(10).fill(LOST) });
  t.deepEqual(endsOf(world), ['no-challenge']);
  t.is(world.clients[0]?.endedAtMs, GIVES_UP_MS);
  t.is(world.seen.length, 5);
});

test('gives up after five Responses when the responder has gone', (t) => {
  const world = World.run({ fates: [PERFECT, PERFECT, ...new Array<typeof LOST>(10).fill(LOST)] });
  t.deepEqual(endsOf(world), ['no-grant']);
  t.is(world.clients[0]?.endedAtMs, ROUND_TRIP_MS + GIVES_UP_MS);
});

test('P6: every datagram three times is one knock', (t) => {
  const thrice = { copiesAfterMs: [5, 6, 400] };
  const world = World.run({ fates: new Array<typeof LOST>(40).fill(thrice), policyMs: 30 });
  t.deepEqual(endsOf(world), ['concluded']);
  t.is(world.handed.length, 1);
});

test('a Request that is overtaken by its repetition does no harm', (t) => {
  const world = World.run({ fates: [{ copiesAfterMs: [260] }, { copiesAfterMs: [1] }] });
  t.deepEqual(endsOf(world), ['concluded']);
  t.is(world.handed.length, 1);
});

test('a Grant that is overtaken by its repetition does no harm', (t) => {
  const late = [PERFECT, PERFECT, PERFECT, { copiesAfterMs: [900] }];
  const world = World.run({ fates: late });
  t.deepEqual(endsOf(world), ['concluded']);
  t.is(world.handed.length, 1);
});

test('P4: a NAT that takes another port for each datagram does no harm', (t) => {
  const rebinding = { copiesAfterMs: [5], rebinds: true };
  const world = World.run({ fates: new Array<typeof LOST>(40).fill(rebinding) });
  const [conclusion] = conclusionsOf(world);
  t.deepEqual(conclusion?.outcome, granted);
  t.is(conclusion?.observed.address, outside.address);
  t.deepEqual(
    world.handed.map(({ knock }) => knock.observed),
    [conclusion?.observed],
  );
  // a port for the Request, and another for the Response
  t.is(new Set(world.answers.map(({ to }) => formatEndpoint(to))).size, 2);
});

test('P4: a Grant to a port that the NAT has forgotten is sent again to the new one', (t) => {
  const lateGrant = [PERFECT, PERFECT, PERFECT, { copiesAfterMs: [300] }];
  const world = World.run({ fates: [...lateGrant, { copiesAfterMs: [5], rebinds: true }] });
  t.deepEqual(endsOf(world), ['concluded']);
  t.is(world.handed.length, 1);
});

test('P5: clocks ten years apart, in both directions', (t) => {
  const tenYearsMs = 10 * 365.25 * 86_400_000;
  const world = World.run({ clients: [{ clockOffMs: -tenYearsMs }, { clockOffMs: tenYearsMs }] });
  t.deepEqual(endsOf(world), ['concluded', 'concluded']);
});

test('T-15: a restart between Challenge and Response fails that handshake, and the next one works', (t) => {
  const restartAtMs = ROUND_TRIP_MS + 1;
  const failed = World.run({ restartAtMs });
  t.deepEqual(endsOf(failed), ['no-grant']);
  t.is(failed.handed.length, 0);
  const again = World.run({ restartAtMs, clients: [{}, { startAtMs: 20_000 }] });
  t.deepEqual(endsOf(again), ['no-grant', 'concluded']);
});

test('T-15: a restart between knock and Grant does not ask policy a second time', (t) => {
  const world = World.run({ policyMs: 50, restartAtMs: 40 });
  t.deepEqual(endsOf(world), ['no-grant']);
  t.is(world.handed.length, 1);
});

for (const [name, other] of [
  ['the same credential', alice],
  ['two credentials', bob],
] as const) {
  test(`two clients at once behind one NAT, with ${name}`, (t) => {
    const world = World.run({
      clients: [{}, { as: other }],
      outcomeOf: (nth) => (nth === 0 ? granted : refused),
    });
    const [first, second] = conclusionsOf(world);
    t.deepEqual([first?.outcome, second?.outcome], [granted, refused]);
    t.notDeepEqual(first?.sessionSecret, second?.sessionSecret);
    t.deepEqual(
      world.handed.map(({ knock }) => knock.claimed),
      world.clients.map(({ inside }) => inside),
    );
  });
}

test('a choice of almost ten seconds is in time, a longer one is not', (t) => {
  const choiceMs = 10_000 - ROUND_TRIP_MS;
  t.deepEqual(endsOf(World.run({ clients: [{ choiceMs }] })), ['concluded']);
  t.deepEqual(endsOf(World.run({ clients: [{ choiceMs: choiceMs + 1 }] })), ['no-grant']);
});

for (const strangers of [1, 2, 7]) {
  test(`T-07: Challenges fetched by ${String(strangers)} strangers, and here before the true one, keep nobody out`, (t) => {
    const fetched = Array.from({ length: strangers }, (_, n): Intrusion[] => [
      { atMs: 1, to: 'responder', from: stranger(n), bytes: ([request]) => request ?? null },
      { atMs: 2, to: 0, from: stranger(n), bytes: (seen) => seen[n + 1] ?? null },
    ]);
    const world = World.run({ intrusions: fetched.flat() });
    // positive control: they were fetched, and the first one was the first to be answered
    t.deepEqual(
      world.answers.slice(0, strangers).map(({ to }) => to),
      fetched.map((_, n) => stranger(n)),
    );
    t.true((world.clients[0]?.endedAtMs ?? 0) > 250);
    const [conclusion] = conclusionsOf(world);
    t.deepEqual(conclusion?.outcome, granted);
    t.is(conclusion?.observed.address, outside.address);
    t.deepEqual(
      world.handed.map(({ knock }) => knock.observed.address),
      [outside.address],
    );
  });
}

test('T-07: garbage between any two events changes nothing', (t) => {
  const garbage = (length: number) => () => new Uint8Array(length).fill(0x55);
  const intrusions = Array.from({ length: 25 }, (_, atMs) =>
    (['responder', 0] as const).flatMap((to) =>
      [0, 100, 126, 222].map((length) => ({ atMs, to, from: outside, bytes: garbage(length) })),
    ),
  ).flat();
  t.deepEqual(World.run({ intrusions }).seen, World.run().seen);
});
