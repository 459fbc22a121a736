// Whatever the network and the attacker on it do, these hold.
import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { admissions } from '../../src/units/admission.ts';
import { refuse } from '../../src/units/knock.ts';
import { alice, attacker, bob, granted, outside, refused } from './exchange.ts';
import { type Fate, type Intrusion, World, type WorldOptions } from './world.ts';

const STAGE_MS = 7_750;

const faults: fc.Arbitrary<Fate> = fc.record({
  copiesAfterMs: fc.array(fc.integer({ min: 0, max: 4_000 }), { maxLength: 3 }),
  rebinds: fc.boolean(),
});

const outcomes = fc.constantFrom(
  granted,
  { ...granted, lifetimeMs: 1 as typeof granted.lifetimeMs },
  refused,
  refuse('firewall-failed'),
  refuse('admission-refused', admissions.slice(1)),
);

const clients = fc.tuple(
  fc.record({ choiceMs: fc.nat(12_000), clockOffMs: fc.constantFrom(-3e11, 0, 3e11) }),
  fc.record({
    as: fc.constantFrom(alice, bob),
    startAtMs: fc.nat(9_000),
    choiceMs: fc.nat(300),
  }),
);

const places = {
  atMs: fc.nat(20_000),
  to: fc.constantFrom<Intrusion['to'][]>('responder', 0, 1),
  from: fc.constantFrom(attacker, outside, { ...outside, port: 40_000 }),
} as const;

/** Never a datagram that a client or the responder has written. */
const garbage: fc.Arbitrary<Intrusion> = fc.record({
  ...places,
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => () => bytes),
    fc.constantFrom(100, 126, 222).map((length) => () => new Uint8Array(length)),
    fc
      .tuple(fc.nat(30), fc.nat(221), fc.integer({ min: 1, max: 255 }))
      .map(([index, position, mask]) => changed(index, position, mask)),
    fc.tuple(fc.nat(30), fc.nat(221)).map(([index, length]) => cut(index, length)),
  ),
});

const replays: fc.Arbitrary<Intrusion> = fc.record({
  ...places,
  bytes: fc.nat(30).map((index) => (seen: readonly Uint8Array[]) => seen[index] ?? null),
});

const anything: fc.Arbitrary<Required<WorldOptions>> = fc.record({
  clients,
  fates: fc.array(fc.oneof(faults, faults, fc.constant({ copiesAfterMs: [] })), { maxLength: 40 }),
  intrusions: fc.array(fc.oneof(garbage, replays), { maxLength: 30 }),
  restartAtMs: fc.option(fc.nat(20_000), { nil: null }),
  policyMs: fc.nat(2_000),
  outcomeOf: fc.infiniteStream(outcomes).map(nthOf),
});

test('whatever happens', (t) => {
  let concluded = 0;
  fc.assert(
    fc.property(anything, (options) => {
      const world = World.run(options);
      onceForEachResponse(world);
      bothSidesAgree(world);
      everyClientEnds(world);
      noAmplification(world);
      concluded += world.clients.filter(({ state }) => state?.kind === 'concluded').length;
    }),
    { numRuns: 400 },
  );
  t.true(concluded > 50, 'positive control: not all of these worlds are hopeless');
});

test('T-07: whatever garbage comes, not one byte of the true conversation is another', (t) => {
  fc.assert(
    fc.property(anything, fc.array(garbage, { maxLength: 40 }), (options, intrusions) => {
      const quiet = World.run({ ...options, intrusions: [] });
      const disturbed = World.run({ ...options, intrusions });
      t.deepEqual(disturbed.seen, quiet.seen);
    }),
    { numRuns: 200 },
  );
});

test('a network that spoils two datagrams, each way or in any way, keeps nobody out', (t) => {
  const spoilt = fc.record({
    copiesAfterMs: fc.array(fc.integer({ min: 0, max: 1_500 }), { maxLength: 3 }),
    rebinds: fc.boolean(),
  });
  const positions = fc.array(fc.tuple(fc.nat(12), spoilt), { maxLength: 2 });
  fc.assert(
    fc.property(positions, fc.array(garbage, { maxLength: 10 }), (list, intrusions) => {
      const fates: Fate[] = Array.from({ length: 13 }, () => ({ copiesAfterMs: [5] }));
      for (const [position, fate] of list) fates[position] = fate;
      const world = World.run({ clients: [{}, { as: bob }], fates, intrusions });
      t.deepEqual(
        world.clients.map(({ state }) => state?.kind),
        ['concluded', 'concluded'],
      );
    }),
    { numRuns: 200 },
  );
});

/** (a) The responder asks policy at most once for each Response that a client wrote (P6). */
function onceForEachResponse({ handed, clients: lives }: World): void {
  const cookies = handed.map(({ ticket }) => String(ticket.replayKey));
  expect(new Set(cookies).size === cookies.length, 'one Response was handed on twice');
  const written = lives.reduce((sum, { responses }) => sum + responses.size, 0);
  expect(handed.length <= written, 'there are more knocks than Responses');
}

/** (b) A client that concludes has what the responder has for one of its knocks (P12). */
function bothSidesAgree({ handed, clients: lives }: World): void {
  for (const { state, inside } of lives) {
    if (state?.kind !== 'concluded') continue;
    const { sessionSecret, observed, outcome } = state.conclusion;
    const same = handed.filter(
      ({ knock }) => String(knock.sessionSecret) === String(sessionSecret),
    );
    expect(same.length === 1, 'the responder does not hold this session secret');
    const [theirs] = same;
    const mine = [outcome, observed, inside];
    const told = [theirs?.outcome, theirs?.knock.observed, theirs?.knock.claimed];
    const both = `client has ${JSON.stringify(mine)}, responder has ${JSON.stringify(told)}`;
    expect(isDeepStrictEqual(mine, told), both);
  }
}

/** (c) No client waits longer than both stages and its own choice. */
function everyClientEnds({ clients: lives }: World): void {
  for (const { endedAtMs, options } of lives) {
    const limit = options.startAtMs + 2 * STAGE_MS + options.choiceMs;
    expect(endedAtMs !== null && endedAtMs <= limit, `ended at ${String(endedAtMs)}`);
  }
}

/** (d) Nothing is longer than what it answers (P3). */
function noAmplification({ answers }: World): void {
  for (const { length, askedWith } of answers) {
    expect(length <= askedWith, `${String(length)} for ${String(askedWith)}`);
  }
}

function expect(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(sentence);
}

function nthOf<T>(stream: Iterator<T>): (nth: number) => T {
  const drawn: T[] = [];
  return (nth) => {
    while (drawn.length <= nth) drawn.push(stream.next().value as T);
    return drawn[nth] as T;
  };
}

function changed(index: number, position: number, mask: number): Intrusion['bytes'] {
  return (seen) => {
    const bytes = seen[index];
    if (bytes === undefined) return null;
    const at = position % bytes.length;
    return bytes.with(at, (bytes[at] ?? 0) ^ mask);
  };
}

function cut(index: number, length: number): Intrusion['bytes'] {
  return (seen) => {
    const bytes = seen[index];
    return bytes === undefined ? null : bytes.subarray(0, length % bytes.length);
  };
}
