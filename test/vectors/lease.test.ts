import test from 'ava';
import { toHex } from '../../src/bytes/bytes.ts';
import { deriveLeaseId, deriveLeaseKeys } from '../../src/handshake/lease-keys.ts';
import { decodeLeaseAnswer } from '../../src/handshake/wire/lease-answer.ts';
import { encodeLease } from '../../src/handshake/wire/lease.ts';
import { bytes, readVectors } from './vector-file.ts';

for (const { name, expect, operation, sequence, ...vector } of readVectors('lease')) {
  test(name, (t) => {
    const session = bytes(vector.sessionSecret);
    const keys = deriveLeaseKeys(session);
    const id = deriveLeaseId(session);
    const derived = { id: toHex(id), lease: toHex(keys.request), answer: toHex(keys.answer) };
    t.deepEqual(derived, vector.keys);

    const whose = { tag: bytes(vector.tag), id };
    const seal = { key: keys.request, nonce: bytes(vector.nonce) };
    t.is(toHex(encodeLease(whose, seal, { sequence, operation })), vector.datagram);
    const answered = decodeLeaseAnswer({ ...whose, sequence }, keys.answer, bytes(vector.answer));
    t.deepEqual<unknown, unknown>(answered, expect);
  });
}
