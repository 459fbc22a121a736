// Arbitrary datagrams at the responder. fast-check prints seed and path of what fails.
import test from 'ava';
import fc from 'fast-check';
import { open, seal } from '../../src/crypto/aead.ts';
import { concat } from '../../src/bytes/bytes.ts';
import { encodeRequest, isRequestBody } from '../../src/handshake/wire/request.ts';
import {
  alice,
  ask,
  attacker,
  bob,
  contextOf,
  granted,
  knockIn,
  outside,
  replyTo,
  responderOf,
  START,
  told,
} from '../sim/exchange.ts';

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });

const tags = fc.constantFrom(alice.tag, bob.tag);
const sources = fc.constantFrom(outside, attacker, { ...outside, port: 1 });
const lengths = fc.oneof(
  fc.constantFrom(0, 7, 8, 71, 72, 73, 99, 100, 101, 221, 222, 223, 1200),
  fc.nat(1500),
);

const strangers = fc.oneof(
  lengths.chain(bytesOf),
  fc.tuple(tags, lengths.chain(bytesOf)).map(([tag, rest]) => concat(tag, rest)),
  fc.tuple(tags, bytesOf(64)).map(([tag, rest]) => concat(tag, rest)),
  fc.tuple(tags, bytesOf(92)).map(([tag, rest]) => concat(tag, rest)),
  fc.tuple(tags, bytesOf(214)).map(([tag, rest]) => concat(tag, rest)),
);

test('T-16: what a stranger can make is dropped, and the next knock works', (t) => {
  const responder = responderOf();
  const asked = ask(responder);
  fc.assert(
    fc.property(strangers, sources, (bytes, source) => {
      t.is(responder.receive(bytes, source, START).kind, 'drop');
      t.is(responder.replayRecordSize, 0);
    }),
    { numRuns: 5_000 },
  );
  knockIn(responder.receive(asked.response, outside, START));
});

test('T-16: true datagrams with a piece of another are dropped', (t) => {
  const responder = responderOf();
  const asked = ask(responder);
  const other = ask(responder, { as: bob, seed: 8 });
  const { ticket } = knockIn(responder.receive(other.response, outside, START));
  const grant = responder.conclude(ticket, granted);
  const genuine = [asked.request, asked.response, asked.challenge, grant, other.request];
  const all = new Set([...genuine, other.response].map(String));
  const cuts = fc.record({
    into: fc.constantFrom(...genuine),
    from: fc.constantFrom(...genuine),
    at: fc.nat(222),
    length: fc.integer({ min: 1, max: 222 }),
  });
  const spliced = cuts.map(({ into, from, at, length }) =>
    concat(into.subarray(0, at), from.subarray(at, at + length), into.subarray(at + length)),
  );
  fc.assert(
    fc.property(
      spliced.filter((bytes) => !all.has(String(bytes))),
      sources,
      (bytes, source) => {
        t.is(responder.receive(bytes, source, START).kind, 'drop');
      },
    ),
    { numRuns: 5_000 },
  );
  t.is(responder.replayRecordSize, 1);
});

// the most that a peer gone bad can do
test('T-16: under the right key, anything is a Request that is well formed, or malformed', (t) => {
  const { keys } = contextOf();
  const responder = responderOf();
  fc.assert(
    fc.property(bytesOf(52), bytesOf(24), (body, nonce) => {
      const judged = responder.receive(encodeRequest(keys, nonce, body), outside, START);
      t.is(told(judged), isRequestBody(body) ? 'reply' : 'malformed');
    }),
    { numRuns: 3_000 },
  );
});

test('T-16: under the right key, a Response with anything overwritten never comes to a knock', (t) => {
  const responder = responderOf();
  const { context, response } = ask(responder);
  const { keys } = context;
  const sealing = { key: keys.response, nonce: response.subarray(8, 32), ad: keys.tag };
  const genuine = open(sealing, response.subarray(32)) ?? new Uint8Array();
  t.is(genuine.length, 174);
  const changes = fc.array(fc.tuple(fc.nat(173), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 8,
  });
  const bodies = fc.oneof(
    bytesOf(174),
    changes.map((list) => {
      const body = Uint8Array.from(genuine);
      for (const [position, value] of list) body[position] = value;
      return body;
    }),
  );
  fc.assert(
    fc.property(
      bodies.filter((body) => String(body) !== String(genuine)),
      bytesOf(24),
      (body, nonce) => {
        const sealed = seal({ key: keys.response, nonce, ad: keys.tag }, body);
        const judged = responder.receive(concat(keys.tag, nonce, sealed), outside, START);
        t.true(['malformed', 'cookie', 'proof'].includes(told(judged)), told(judged));
      },
    ),
    { numRuns: 3_000 },
  );
  const { ticket } = knockIn(responder.receive(response, outside, START));
  const grant = responder.conclude(ticket, granted);
  t.deepEqual(replyTo(responder.receive(response, outside, START)), grant);
});
