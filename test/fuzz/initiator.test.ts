// Arbitrary datagrams at the initiator. fast-check prints seed and path of what fails.
import test from 'ava';
import fc from 'fast-check';
import { concat } from '../../src/bytes/bytes.ts';
import { open, seal } from '../../src/crypto/aead.ts';
import type { InitiatorState } from '../../src/handshake/initiator.ts';
import {
  ask,
  type Asked,
  granted,
  knockIn,
  outside,
  responderOf,
  START,
  take,
} from '../sim/exchange.ts';

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });

const lengths = fc.oneof(
  fc.constantFrom(0, 23, 24, 99, 100, 101, 125, 126, 127, 1200),
  fc.nat(1500),
);
const asked = ask(responderOf());
const { grant, transcriptKnown } = answered();
const statesOf = ({ requesting, challenged, responding }: Asked): InitiatorState[] => [
  requesting,
  challenged,
  responding,
  take(asked.context, responding, grant),
];

test('T-16: what a stranger can make changes nothing in any state', (t) => {
  const known = [asked.request, asked.challenge, asked.response, grant];
  const overwritten = fc
    .tuple(fc.constantFrom(...known), fc.nat(221), fc.integer({ min: 1, max: 255 }))
    .map(([bytes, position, mask]) => {
      const at = position % bytes.length;
      return bytes.with(at, (bytes[at] ?? 0) ^ mask);
    });
  fc.assert(
    fc.property(fc.oneof(lengths.chain(bytesOf), overwritten), (bytes) => {
      for (const state of statesOf(asked)) t.is(take(asked.context, state, bytes), state);
    }),
    { numRuns: 2_000 },
  );
});

// the most that somebody with the key, such as a responder of another make, can do
test('T-16: under the right key anything is a well-formed Grant, or ignored', (t) => {
  const { context, responding } = asked;
  const sealing = { key: context.keys.grant, ad: transcriptKnown };
  const nonce = grant.subarray(0, 24);
  const genuine = open({ ...sealing, nonce }, grant.subarray(24)) ?? new Uint8Array();
  t.is(genuine.length, 86, 'positive control: key and transcript are the right ones');
  const nearly = fc
    .array(fc.tuple(fc.nat(85), fc.oneof(fc.nat(7), fc.nat(255))), { maxLength: 4 })
    .map((list) => list.reduce((body, [position, value]) => body.with(position, value), genuine));
  let concluded = 0;
  fc.assert(
    fc.property(fc.oneof(bytesOf(86), nearly), bytesOf(24), (body, random) => {
      const bytes = concat(random, seal({ ...sealing, nonce: random }, body));
      const state = take(context, responding, bytes);
      if (state.kind === 'concluded') concluded += 1;
      else t.is<InitiatorState, InitiatorState>(state, responding);
    }),
    { numRuns: 3_000 },
  );
  t.true(concluded > 0);
});

test('T-16: under the right key anything of the right length that repeats the claim is a Challenge', (t) => {
  const { context, requesting, request, challenge } = asked;
  const ad = concat(context.keys.tag, request.subarray(8, 32));
  const key = context.keys.challenge;
  const opened = open({ key, nonce: challenge.subarray(0, 24), ad }, challenge.subarray(24));
  const claimed = (opened ?? new Uint8Array()).slice(26, 44);
  const claims = fc.oneof(fc.constant(claimed), bytesOf(18));
  fc.assert(
    fc.property(bytesOf(26), claims, bytesOf(40), (observed, claim, rest) => {
      const nonce = rest.subarray(16);
      const body = concat(observed, claim, rest.subarray(0, 16));
      const state = take(context, requesting, concat(nonce, seal({ key, nonce, ad }, body)));
      t.is(state.kind, String(claim) === String(claimed) ? 'challenged' : 'requesting');
    }),
    { numRuns: 2_000 },
  );
});

function answered(): { grant: Uint8Array; transcriptKnown: Uint8Array } {
  const responder = responderOf();
  const { response } = ask(responder);
  const { ticket } = knockIn(responder.receive(response, outside, START));
  return { grant: responder.conclude(ticket, granted), transcriptKnown: ticket.transcript };
}
