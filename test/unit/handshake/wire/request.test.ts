import test from 'ava';
import fc from 'fast-check';
import { seal } from '../../../../src/crypto/aead.ts';
import {
  decodeRequest,
  decodeRequestBody,
  encodeRequest,
  encodeRequestBody,
  isRequestBody,
  REQUEST_BODY_LENGTH,
  REQUEST_LENGTH,
} from '../../../../src/handshake/wire/request.ts';
import { alice, bob, contextOf } from '../../../sim/exchange.ts';
import { bytesOf, changes, nearly, wishes } from './bodies.ts';

const { keys } = contextOf({ as: alice });

test('every wish is read as it was written', (t) => {
  fc.assert(
    fc.property(wishes, bytesOf(24), (wish, nonce) => {
      const body = encodeRequestBody(wish);
      t.is(body.length, REQUEST_BODY_LENGTH);
      t.deepEqual(decodeRequestBody(body), wish);
      const datagram = encodeRequest(keys, nonce, body);
      t.is(datagram.length, REQUEST_LENGTH);
      t.deepEqual(datagram.subarray(0, 32), Uint8Array.from([...alice.tag, ...nonce]));
      t.deepEqual(decodeRequest(keys, datagram), { nonce, body });
    }),
  );
});

test('T-16: a body has one reading or none, and what is read is written in the same bytes', (t) => {
  let read = 0;
  const bodies = fc
    .tuple(wishes, changes)
    .map(([wish, list]) => nearly(encodeRequestBody(wish), list));
  fc.assert(
    fc.property(
      fc.oneof({ weight: 9, arbitrary: bodies }, bytesOf(REQUEST_BODY_LENGTH)),
      (body) => {
        const wish = decodeRequestBody(body);
        // the Request is judged by the one, the Response by the other
        t.is(isRequestBody(body), wish !== null);
        if (wish === null) return;
        read += 1;
        t.deepEqual(encodeRequestBody(wish), body);
      },
    ),
    { numRuns: 2000 },
  );
  t.true(read > 100, 'the property must have been tried');
});

test('opens under its own key and tag only', (t) => {
  const nonce = new Uint8Array(24);
  const body = new Uint8Array(REQUEST_BODY_LENGTH);
  t.is(decodeRequest(contextOf({ as: bob }).keys, encodeRequest(keys, nonce, body)), null);
  for (const key of [keys.challenge, keys.response, keys.grant, keys.session]) {
    const sealed = seal({ key, nonce, ad: keys.tag }, body);
    t.is(decodeRequest(keys, Uint8Array.from([...keys.tag, ...nonce, ...sealed])), null);
  }
});
