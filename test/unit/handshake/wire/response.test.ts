import test from 'ava';
import fc from 'fast-check';
import {
  decodeResponse,
  encodeObservedAndIssuedAt,
  encodeResponse,
  RESPONSE_LENGTH,
} from '../../../../src/handshake/wire/response.ts';
import { encodeRequestBody } from '../../../../src/handshake/wire/request.ts';
import { concat } from '../../../../src/bytes/bytes.ts';
import { alice, at, bob, contextOf } from '../../../sim/exchange.ts';
import { bytesOf, endpoints, wishes } from './bodies.ts';

const { keys } = contextOf({ as: alice });

test('every Response is read as it was written, in the bytes that came', (t) => {
  const parts = fc.record({
    nonces: bytesOf(48),
    observed: endpoints,
    issuedAt: fc.maxSafeNat().map(at),
    wish: wishes,
    cookie: bytesOf(16),
    proof: bytesOf(32),
    nonce: bytesOf(24),
  });
  fc.assert(
    fc.property(parts, ({ nonces, observed, issuedAt, wish, cookie, proof, nonce }) => {
      const requestBody = encodeRequestBody(wish);
      const statement = concat(nonces, encodeObservedAndIssuedAt(observed, issuedAt), requestBody);
      const datagram = encodeResponse(keys, nonce, { statement, cookie, proof });
      t.is(datagram.length, RESPONSE_LENGTH);
      t.deepEqual(datagram.subarray(0, 32), Uint8Array.from([...alice.tag, ...nonce]));
      const expected = { statement, observed, issuedAt, requestBody, cookie, proof };
      t.deepEqual(decodeResponse(keys, datagram), expected);
      t.is(decodeResponse(contextOf({ as: bob }).keys, datagram), null);
    }),
  );
});
