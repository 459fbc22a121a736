// P1 to P12 of rationale.md, one named test or more each.
import test from 'ava';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ascii, concat } from '../../../src/bytes/bytes.ts';
import { encodeEndpoint, ENDPOINT_LENGTH } from '../../../src/bytes/address.ts';
import type { DropReason } from '../../../src/errors/drop-reason.ts';
import { refusalReasons } from '../../../src/errors/refusal-reason.ts';
import { EPOCH_MS } from '../../../src/crypto/rotating-secret.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { type InitiatorEvent, start, step } from '../../../src/handshake/initiator.ts';
import { CHALLENGE_LIFE_MS } from '../../../src/handshake/challenger.ts';
import type { Responder } from '../../../src/handshake/responder.ts';
import { transcriptHash } from '../../../src/handshake/transcript.ts';
import {
  decodeResponse,
  encodeResponse,
  type OpenedResponse,
} from '../../../src/handshake/wire/response.ts';
import { admissions } from '../../../src/units/admission.ts';
import type { Outcome } from '../../../src/units/knock.ts';
import type { Endpoint } from '../../../src/units/network.ts';
import type { MonotonicMs } from '../../../src/units/time.ts';
import {
  alice,
  ask,
  type Asked,
  at,
  attacker,
  bob,
  conclusionOf,
  contextOf,
  endpoint,
  flips,
  granted,
  inside,
  knockIn,
  observedBy,
  outside,
  refused,
  replyTo,
  requestOf,
  responderOf,
  START,
  take,
  told,
  wish,
} from '../../sim/exchange.ts';

const now = at(START + 40);
const outcomes: readonly Outcome[] = [
  granted,
  ...refusalReasons.map((reason) => ({ kind: 'refused', reason, acceptable: [] }) as const),
  { kind: 'refused', reason: 'admission-refused', acceptable: admissions },
];

test('P1 silence: without a credential nothing gets an answer, whatever is known of the wire', (t) => {
  const responder = responderOf();
  const { request, response } = ask(responder);
  // a stranger has watched a handshake and knows tag, lengths, and the labels of the key schedule
  const guess = { ...alice, secret: new Uint8Array(32) };
  const random = new FakeEntropy(5);
  const tries = [
    requestOf({ as: guess }),
    ask(responderOf({ credentials: [guess] }), { as: guess }).response,
    concat(alice.tag, random.bytes(92)),
    concat(alice.tag, random.bytes(214)),
    concat(request.subarray(0, 32), response.subarray(32, 100)),
    concat(response.subarray(0, 32), random.bytes(190)),
    new Uint8Array(),
    new Uint8Array(1200),
  ];
  for (const bytes of tries) t.is(responder.receive(bytes, outside, now).kind, 'drop');
  t.is(told(responder.receive(response, attacker, now)), 'source', 'nor does a replay elsewhere');
});

test('P1 silence: the right secret under another tag is a stranger', (t) => {
  const responder = responderOf({ credentials: [alice] });
  const request = requestOf({ as: { ...alice, tag: bob.tag } });
  t.is(told(responder.receive(request, outside, now)), 'tag');
});

test('P2 statelessness: 10,000 Requests leave nothing behind', (t) => {
  const responder = responderOf();
  const datagrams = Array.from({ length: 2_000 }, (_, seed) => requestOf({ seed: seed + 1 }));
  const receiveAll = (port: number): void => {
    for (const each of datagrams) replyTo(responder.receive(each, { ...outside, port }, now));
  };
  receiveAll(1); // what is allocated once, such as derived keys and compiled code
  const before = heapBytes();
  for (let port = 2; port <= 6; port++) receiveAll(port);
  // one entry of 50 bytes for each would be 500,000
  t.true(heapBytes() - before < 300_000, `${String(heapBytes() - before)} bytes more`);
  t.is(responder.replayRecordSize, 0);
});

test('P2 statelessness: everything comes back inside the Response', (t) => {
  const responder = responderOf();
  const asked = ask(responder);
  for (let seed = 1; seed <= 1_000; seed++) responder.receive(requestOf({ seed }), outside, now);
  const { knock } = knockIn(responder.receive(asked.response, outside, now));
  t.like(knock, { peer: 'alice', ...wish, observed: outside });
});

test('P2 statelessness: the cookie holds from one epoch into the next, and no longer', (t) => {
  const lastMoment = at((Math.floor(START / EPOCH_MS) + 1) * EPOCH_MS - 1);
  const afterwards = at(lastMoment + CHALLENGE_LIFE_MS);
  const responder = responderOf();
  const asked = ask(responder, { now: lastMoment });
  knockIn(responder.receive(asked.response, outside, afterwards));

  const other = responderOf();
  const late = ask(other, { now: lastMoment });
  t.is(told(other.receive(late.response, outside, at(lastMoment + 1 + EPOCH_MS))), 'cookie');
});

test('P3 no amplification: no reply is longer than the datagram it answers, T-10', (t) => {
  for (const outcome of outcomes) {
    const responder = responderOf();
    const { request, challenge, response } = ask(responder);
    t.true(challenge.length <= request.length);
    const { ticket } = knockIn(responder.receive(response, outside, now));
    t.true(responder.conclude(ticket, outcome).length <= response.length);
    t.true(replyTo(responder.receive(response, outside, now)).length <= response.length);
  }
  const full = responderOf({ capacity: 0 });
  const { response } = ask(full);
  t.true(replyTo(full.receive(response, outside, now)).length <= response.length);
});

test('P4 NAT tolerance: both sides end with both addresses, though the port changes on the way', (t) => {
  const responder = responderOf();
  const asked = ask(responder);
  t.deepEqual(observedBy(asked.challenged), [outside]);
  const rebound = { ...outside, port: 61_001 };
  const { knock, ticket } = knockIn(responder.receive(asked.response, rebound, now));
  t.deepEqual(knock.claimed, inside);
  t.deepEqual(knock.observed, rebound);
  t.deepEqual(conclusionOf(asked, responder.conclude(ticket, granted)).observed, rebound);
});

test('P4 NAT tolerance: an initiator need not know any address of its own', (t) => {
  const responder = responderOf();
  const asked = ask(responder, { wish: { ...wish, claimed: null } });
  const { knock } = knockIn(responder.receive(asked.response, outside, now));
  t.is(knock.claimed, null);
  t.deepEqual(knock.observed, outside);
});

for (const years of [-10, 10]) {
  test(`P5 no clock: a client whose clock is ${String(years)} years off gets in`, (t) => {
    const offMs = years * 365.25 * 86_400_000;
    const responder = responderOf();
    const context = contextOf();
    let { state, send } = start(context, at(START + offMs));
    const tell = (event: InitiatorEvent): void => {
      ({ state, send } = step(context, state, { event, now: at(START + offMs + 40) }));
    };
    const [request = new Uint8Array()] = send;
    const challenge = replyTo(responder.receive(request, outside, START));
    tell({ kind: 'datagram', bytes: challenge });
    tell({ kind: 'proceed' });
    const [response = new Uint8Array()] = send;
    const { ticket } = knockIn(responder.receive(response, outside, now));
    tell({ kind: 'datagram', bytes: responder.conclude(ticket, granted) });
    t.is(state.kind, 'concluded');
  });
}

test('P6 one-time: a Response opens once, and repeated it gets the same Grant, T-03', (t) => {
  const responder = responderOf();
  const { response } = ask(responder);
  const { ticket } = knockIn(responder.receive(response, outside, now));
  t.is(told(responder.receive(response, outside, now)), 'pending');
  const grant = responder.conclude(ticket, granted);
  for (const later of [now, at(START + CHALLENGE_LIFE_MS)]) {
    t.deepEqual(replyTo(responder.receive(response, outside, later)), grant);
  }
  t.is(responder.replayRecordSize, 1);
});

test('P6 one-time: sealed anew, the same Response is still the same, T-03', (t) => {
  const responder = responderOf();
  const asked = ask(responder);
  const { ticket } = knockIn(responder.receive(asked.response, outside, now));
  const grant = responder.conclude(ticket, granted);
  const again = crafted(asked, {});
  t.notDeepEqual(again, asked.response);
  t.deepEqual(replyTo(responder.receive(again, outside, now)), grant);
});

test('P6 one-time: from another address or after its life a Response gets silence, T-02, T-04', (t) => {
  for (const isAnswered of [false, true]) {
    const responder = responderOf();
    const { response } = ask(responder);
    if (isAnswered) {
      responder.conclude(knockIn(responder.receive(response, outside, now)).ticket, granted);
    }
    t.is(told(responder.receive(response, attacker, now)), 'source');
    const late = at(START + CHALLENGE_LIFE_MS + 1);
    t.is(told(responder.receive(response, outside, late)), 'expired');
  }
});

test('P6 one-time: what opened once does not open again when others have come since', (t) => {
  const responder = responderOf({ capacity: 4 });
  const first = ask(responder);
  knockIn(responder.receive(first.response, outside, now));
  let openedSince = 0;
  for (let ms = 0; ms <= 2 * CHALLENGE_LIFE_MS; ms += 250) {
    const later = at(now + ms);
    const { response } = ask(responder, { seed: ms + 1, now: later });
    if (told(responder.receive(response, outside, later)) === 'knock') openedSince += 1;
    t.not(told(responder.receive(first.response, outside, later)), 'knock');
  }
  t.true(openedSince >= 7);
});

test('P6 one-time: under the right key no bit of statement, cookie or proof may differ, T-05', (t) => {
  const responder = responderOf();
  const asked = ask(responder);
  const { statement, cookie, proof } = saidIn(asked);
  for (const other of flips(statement)) {
    const reason = told(responder.receive(crafted(asked, { statement: other }), outside, now));
    t.true(reason === 'malformed' || reason === 'cookie', reason);
  }
  for (const other of flips(cookie)) {
    t.is(told(responder.receive(crafted(asked, { cookie: other }), outside, now)), 'cookie');
  }
  for (const other of flips(proof)) {
    t.is(told(responder.receive(crafted(asked, { proof: other }), outside, now)), 'proof');
  }
  knockIn(responder.receive(crafted(asked, {}), outside, now));
});

test('P7 nothing cancels: between any two messages anything may arrive, T-07', (t) => {
  const responder = responderOf();
  const other = ask(responder, { as: bob, seed: 5 });
  const asked = ask(responder, {});
  const wrong = [
    crafted(asked, { cookie: new Uint8Array(16) }),
    crafted(asked, { proof: new Uint8Array(32) }),
    crafted(asked, { statement: altered(saidIn(asked).statement, 10) }),
    altered(asked.response, 100),
    altered(asked.request, 50),
    asked.request.subarray(1),
    new Uint8Array(222),
  ];
  const disturb = (): void => {
    for (const bytes of wrong) t.is(responder.receive(bytes, outside, now).kind, 'drop');
    // the same things, and right ones, from elsewhere; and somebody else's knock from here
    for (const bytes of [...wrong, asked.response]) responder.receive(bytes, attacker, now);
    responder.receive(asked.request, attacker, now);
    responder.receive(other.response, outside, now);
  };
  disturb();
  const { ticket } = knockIn(responder.receive(asked.response, outside, now));
  t.is(told(responder.receive(asked.response, outside, now)), 'pending');
  for (const bytes of wrong) responder.receive(bytes, outside, now);
  const grant = responder.conclude(ticket, granted);
  for (const bytes of wrong) responder.receive(bytes, outside, now);
  t.deepEqual(replyTo(responder.receive(asked.response, outside, now)), grant);
  t.deepEqual(conclusionOf(asked, grant).outcome, granted);
});

test('P7 nothing cancels: a Challenge or Grant of another handshake is no news, T-06, T-07', (t) => {
  const responder = responderOf();
  const asked = ask(responder);
  const other = ask(responder, { seed: 5 });
  t.is(take(asked.context, asked.requesting, other.challenge), asked.requesting);
  const { ticket } = knockIn(responder.receive(other.response, outside, now));
  const otherGrant = responder.conclude(ticket, refused);
  t.is(take(asked.context, asked.responding, otherGrant), asked.responding);
  const second = replyTo(responder.receive(asked.request, outside, now));
  t.is(
    take(asked.context, asked.challenged, second),
    asked.challenged,
    'the first for an address counts',
  );
});

test('P8 confidential: after the tag every byte is as good as random', (t) => {
  const HANDSHAKES = 4096;
  const responder = responderOf({ capacity: HANDSHAKES });
  // alike in all but the nonces
  const entropy = new FakeEntropy(31);
  const counts = new Map<string, Uint32Array>();
  for (let i = 0; i < HANDSHAKES; i++) {
    const messages = wholeHandshake(responder, entropy);
    for (const [name, bytes] of Object.entries(messages)) {
      const from = name === 'request' || name === 'response' ? 8 : 0;
      for (let position = from; position < bytes.length; position++) {
        const key = `${name} ${String(position)}`;
        const count = counts.get(key) ?? new Uint32Array(256);
        count[bytes[position] ?? 0] = (count[bytes[position] ?? 0] ?? 0) + 1;
        counts.set(key, count);
      }
    }
  }
  t.is(counts.size, 92 + 100 + 214 + 126);
  for (const [key, count] of counts) {
    // 255 degrees of freedom: mean 255, standard deviation 22.6; a byte that is fixed gives a million
    t.true(chiSquare(count, HANDSHAKES / 256) < 255 + 8 * 22.6, key);
  }
});

test('P8 confidential: neither service nor claimed nor observed address ever shows', (t) => {
  const responder = responderOf({ capacity: 500 });
  const entropy = new FakeEntropy(77);
  const claimed = new Uint8Array(ENDPOINT_LENGTH);
  const observed = new Uint8Array(ENDPOINT_LENGTH);
  encodeEndpoint(inside, claimed, 0);
  encodeEndpoint(outside, observed, 0);
  const secrets = [ascii(wish.service).subarray(0, 4), claimed.subarray(10), observed.subarray(10)];
  for (let i = 0; i < 500; i++) {
    for (const bytes of Object.values(wholeHandshake(responder, entropy))) {
      for (const secret of secrets) t.false(Buffer.from(bytes).includes(Buffer.from(secret)));
    }
  }
});

test('P8 confidential: the length does not depend on what is said', (t) => {
  for (const [service, claimed] of [
    ['a', null],
    ['a'.repeat(32), endpoint('2001:db8::1', 65_535)],
  ] as const) {
    const said = { claimed, service: service as typeof wish.service, admission: null };
    const { request, challenge, response } = ask(responderOf(), { wish: said });
    t.deepEqual([request.length, challenge.length, response.length], [100, 100, 222]);
  }
});

test('P9 cheap first: of two defects the one that is checked earlier is the reason', (t) => {
  const responder = responderOf({ capacity: 1 });
  const asked = ask(responder);
  knockIn(responder.receive(asked.response, outside, now));
  const fresh = ask(responder, { seed: 5 });
  const broken = (bytes: Uint8Array): Uint8Array => altered(bytes, 60);
  const strange = (bytes: Uint8Array): Uint8Array => bytes.with(0, 0);
  const badCookie = { cookie: new Uint8Array(16) };
  const badService = { statement: saidIn(fresh).statement.with(92, 0x20) };
  const badProof = { proof: new Uint8Array(32) };
  const late = at(START + CHALLENGE_LIFE_MS + 1);

  const judged: readonly [DropReason, string, Uint8Array, Endpoint, MonotonicMs][] = [
    ['length', 'tag', strange(fresh.response).subarray(1), outside, now],
    ['tag', 'mac', broken(strange(fresh.response)), outside, now],
    ['tag', 'mac', broken(strange(fresh.request)), outside, now],
    ['mac', 'malformed', broken(crafted(fresh, badService)), outside, now],
    ['malformed', 'cookie', crafted(fresh, { ...badService, ...badCookie }), outside, now],
    ['cookie', 'source', crafted(fresh, badCookie), attacker, now],
    ['source', 'expired', fresh.response, attacker, late],
    ['expired', 'pending', asked.response, outside, late],
    ['expired', 'proof', crafted(fresh, badProof), outside, late],
    ['pending', 'proof', crafted(asked, badProof), outside, now],
    ['proof', 'a full record', crafted(fresh, badProof), outside, now],
  ];
  for (const [reason, second, bytes, source, when] of judged) {
    t.is(told(responder.receive(bytes, source, when)), reason, `${reason} before ${second}`);
  }
  // and without a defect it comes to the full record
  t.is(told(responder.receive(fresh.response, outside, now)), 'reply');
});

test('P9 cheap first: no dropped datagram draws randomness', (t) => {
  const twins = [responderOf(), responderOf()] as const;
  const [asked] = twins.map((each) => ask(each)) as [Asked, Asked];
  const [disturbed, quiet] = twins;
  for (const bytes of [
    altered(asked.response, 40),
    altered(asked.request, 40),
    new Uint8Array(100),
  ]) {
    for (let i = 0; i < 10; i++) t.is(disturbed.receive(bytes, outside, now).kind, 'drop');
  }
  t.deepEqual(
    replyTo(disturbed.receive(asked.request, outside, now)),
    replyTo(quiet.receive(asked.request, outside, now)),
  );
});

test('P10 bound to the server: another responder with the same credential understands nothing, T-11', (t) => {
  const here = responderOf({ credentials: [alice] });
  const elsewhere = { ...alice, responderId: new Uint8Array(16) };
  const there = responderOf({ credentials: [elsewhere] });
  const asked = ask(here);
  t.is(told(there.receive(asked.request, outside, now)), 'mac');
  t.is(told(there.receive(asked.response, outside, now)), 'mac');
  const theirs = ask(there, { as: elsewhere });
  t.is(take(asked.context, asked.requesting, theirs.challenge), asked.requesting);
  const { ticket } = knockIn(there.receive(theirs.response, outside, now));
  t.is(take(asked.context, asked.responding, there.conclude(ticket, granted)), asked.responding);
});

test('P10 bound to the server: with the same id, the cookie still belongs to the one that made it', (t) => {
  const asked = ask(responderOf({ seed: 1 }));
  const twin = responderOf({ seed: 2 });
  t.is(told(twin.receive(asked.request, outside, now)), 'reply');
  t.is(told(twin.receive(asked.response, outside, now)), 'cookie');
});

test('P10 bound to the server: one peer cannot use what was said to another', (t) => {
  const responder = responderOf();
  const asked = ask(responder);
  const { keys } = contextOf({ as: bob });
  const { statement, cookie } = saidIn(asked);
  const proof = keys.proof.of(transcriptHash(keys, statement, cookie));
  const stolen = encodeResponse(keys, new Uint8Array(24), { statement, cookie, proof });
  t.is(told(responder.receive(stolen, outside, now)), 'cookie');
});

const families: readonly (readonly [name: string, from: Endpoint, other: Endpoint])[] = [
  ['IPv4', outside, endpoint('::cb00:7107', outside.port)],
  ['IPv6', endpoint('2001:db8::2a', 40_001), endpoint('2001:db8::2b', 40_001)],
  [
    'IPv4-mapped IPv6, which is IPv4',
    endpoint('::ffff:203.0.113.7', 40_001),
    endpoint('::203.0.113.7', 40_001),
  ],
];

for (const [name, from, other] of families) {
  test(`P11 IPv4 and IPv6: ${name}: the grant is for the address that knocked and no other`, (t) => {
    const responder = responderOf();
    const asked = ask(responder, { from, wish: { ...wish, claimed: from } });
    t.is(told(responder.receive(asked.response, other, now)), 'source');
    const { knock, ticket } = knockIn(responder.receive(asked.response, from, now));
    t.deepEqual([knock.observed, knock.claimed], [from, from]);
    t.deepEqual(conclusionOf(asked, responder.conclude(ticket, granted)).observed, from);
  });
}

test('P12 session secret: the same at both sides, another in each handshake, never on the wire', (t) => {
  const responder = responderOf({ capacity: 200 });
  const seen = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) {
    const asked = ask(responder, { seed });
    const { knock, ticket } = knockIn(responder.receive(asked.response, outside, now));
    const grant = responder.conclude(ticket, granted);
    const { sessionSecret } = conclusionOf(asked, grant);
    t.deepEqual(sessionSecret, knock.sessionSecret);
    t.is(sessionSecret.length, 32);
    const wire = Buffer.concat([asked.request, asked.challenge, asked.response, grant]);
    t.false(wire.includes(Buffer.from(sessionSecret.subarray(0, 8))));
    seen.add(String(sessionSecret));
  }
  t.is(seen.size, 200);
});

test('P12 session secret: the same nonces and another peer or service give another secret', (t) => {
  const secretOf = (options: Parameters<typeof ask>[1]): string => {
    const responder = responderOf();
    const { response } = ask(responder, options);
    return String(knockIn(responder.receive(response, outside, now)).knock.sessionSecret);
  };
  const other = { ...wish, service: 'ssh' as typeof wish.service };
  const secrets = [secretOf({}), secretOf({ as: bob }), secretOf({ wish: other })];
  t.is(new Set(secrets).size, 3);
  t.is(secretOf({}), secretOf({}));
});

/** A Response as the holder of the credential could write it, with a part that is not what it should be. */
function crafted(
  asked: Asked,
  wrong: Partial<Record<'statement' | 'cookie' | 'proof', Uint8Array>>,
): Uint8Array {
  const { statement, cookie, proof } = { ...saidIn(asked), ...wrong };
  const nonce = new Uint8Array(24).fill(9);
  return encodeResponse(asked.context.keys, nonce, { statement, cookie, proof });
}

function saidIn({ context, response }: Asked): OpenedResponse {
  const said = decodeResponse(context.keys, response);
  if (said === null) throw new Error('not a Response under these keys');
  return said;
}

function altered(bytes: Uint8Array, position: number): Uint8Array {
  return bytes.with(position, (bytes[position] ?? 0) ^ 1);
}

/** What is in use after everything that can be freed has been. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

function wholeHandshake(
  responder: Responder,
  entropy: FakeEntropy,
): Record<'request' | 'challenge' | 'response' | 'grant', Uint8Array> {
  const seed = Buffer.from(entropy.bytes(4)).readInt32BE();
  const { request, challenge, response } = ask(responder, { seed });
  const { ticket } = knockIn(responder.receive(response, outside, now));
  return { request, challenge, response, grant: responder.conclude(ticket, granted) };
}

function chiSquare(counts: Uint32Array, expected: number): number {
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
