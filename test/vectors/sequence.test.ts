import test from 'ava';
import { toHex } from '../../src/bytes/bytes.ts';
import {
  credentialId,
  sequencePorts,
  sequenceSessionSecret,
  stepAt,
  stepKey,
} from '../../src/sequence/schemes/totp-ports.ts';
import { parseServiceName } from '../../src/units/names.ts';
import type { Port } from '../../src/units/network.ts';
import type { UnixMs } from '../../src/units/time.ts';
import { authenticatorCode } from '../../src/store/authenticator.ts';
import { bytes, readVectors } from './vector-file.ts';

for (const vector of readVectors('sequence')) {
  test(vector.name, (t) => {
    const secret = bytes(vector.secret);
    const unixMs = (vector.unixSeconds * 1000 + 999) as UnixMs;
    t.is(stepAt(unixMs), vector.step);
    // the digest has no way out but the code and the key that are made of it
    t.is(authenticatorCode(secret, unixMs), vector.code8.slice(2));
    const key = stepKey({ secret, responderId: bytes(vector.responderId) }, vector.step);
    t.is(toHex(key), vector.key);
    const { protocol, first, last, count } = vector;
    const shape = { protocol, first: first as Port, last: last as Port, count };
    const service = parseServiceName(vector.service);
    t.deepEqual(sequencePorts(key, service, shape).map(Number), vector.ports);
    t.is(toHex(sequenceSessionSecret(key, service)), vector.sessionSecret);
    t.is(credentialId(secret), vector.credentialId);
  });
}

// appendix B of RFC 6238
for (const [at, code] of [
  [59, '46119246'],
  [1_111_111_109, '68084774'],
  [20_000_000_000, '77737706'],
] as const) {
  test(`the generator's code at ${String(at)} s is that of RFC 6238`, (t) => {
    t.is(readVectors('sequence').find(({ unixSeconds }) => unixSeconds === at)?.code8, code);
  });
}
