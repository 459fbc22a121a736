import test from 'ava';
import fc from 'fast-check';
import {
  CHALLENGE_LENGTH,
  decodeChallenge,
  encodeChallenge,
  observedEndpoint,
} from '../../../../src/handshake/wire/challenge.ts';
import { encodeObservedAndIssuedAt } from '../../../../src/handshake/wire/response.ts';
import { at, bob, contextOf } from '../../../sim/exchange.ts';
import { bytesOf, endpoints } from './bodies.ts';

const { keys } = contextOf();

test('every Challenge is read as it was written, by the Request it answers and no other', (t) => {
  const parts = fc.record({
    initiator: bytesOf(24),
    responder: bytesOf(24),
    observed: endpoints,
    issuedAt: fc.maxSafeNat().map(at),
    claimed: bytesOf(18),
    cookie: bytesOf(16),
  });
  fc.assert(
    fc.property(parts, ({ initiator, responder, observed, issuedAt, claimed, cookie }) => {
      const observedAndIssuedAt = encodeObservedAndIssuedAt(observed, issuedAt);
      const body = { observedAndIssuedAt, claimed, cookie };
      const datagram = encodeChallenge(keys, { initiator, responder }, body);
      t.is(datagram.length, CHALLENGE_LENGTH);
      const read = decodeChallenge(keys, initiator, datagram);
      t.deepEqual(read, { nonce: responder, ...body });
      t.deepEqual(read && observedEndpoint(read), observed);
      t.is(decodeChallenge(keys, initiator.with(23, (initiator[23] ?? 0) ^ 1), datagram), null);
      t.is(decodeChallenge(contextOf({ as: bob }).keys, initiator, datagram), null);
    }),
  );
});
