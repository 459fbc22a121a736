import test from 'ava';
import fc from 'fast-check';
import { concat } from '../../../../src/bytes/bytes.ts';
import { open, seal } from '../../../../src/crypto/aead.ts';
import {
  decodeGrant,
  encodeGrant,
  GRANT_LENGTH,
  type GrantBody,
} from '../../../../src/handshake/wire/grant.ts';
import { bob, contextOf, granted, outside } from '../../../sim/exchange.ts';
import { bytesOf, changes, grantBodies, nearly } from './bodies.ts';

const { keys } = contextOf();
const nonce = new Uint8Array(24).fill(3);
const transcript = new Uint8Array(32).fill(4);
const sealed = { key: keys.grant, nonce, ad: transcript };

function bodyOf(body: GrantBody): Uint8Array {
  const datagram = encodeGrant(keys, { nonce, transcript }, body);
  return open(sealed, datagram.subarray(24)) ?? new Uint8Array();
}

test('every outcome is read as it was written', (t) => {
  fc.assert(
    fc.property(grantBodies, bytesOf(24), (body, random) => {
      const datagram = encodeGrant(keys, { nonce: random, transcript }, body);
      t.is(datagram.length, GRANT_LENGTH);
      t.deepEqual(decodeGrant(keys, transcript, datagram), body);
    }),
  );
});

test('T-16: a body has one reading or none, and what is read is written in the same bytes', (t) => {
  let read = 0;
  const bodies = fc.tuple(grantBodies, changes).map(([body, list]) => nearly(bodyOf(body), list));
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: bodies }, bytesOf(86)), (bytes) => {
      const body = decodeGrant(keys, transcript, concat(nonce, seal(sealed, bytes)));
      if (body === null) return;
      read += 1;
      t.deepEqual(bodyOf(body), bytes);
    }),
    { numRuns: 2000 },
  );
  t.true(read > 100, 'the property must have been tried');
});

test('T-06: opens for its own handshake and peer only', (t) => {
  const datagram = encodeGrant(
    keys,
    { nonce, transcript },
    { outcome: granted, observed: outside },
  );
  t.truthy(decodeGrant(keys, transcript, datagram));
  t.is(decodeGrant(keys, transcript.with(31, 0), datagram), null);
  t.is(decodeGrant(contextOf({ as: bob }).keys, transcript, datagram), null);
});
