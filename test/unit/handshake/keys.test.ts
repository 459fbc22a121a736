import test from 'ava';
import { toHex } from '../../../src/bytes/bytes.ts';
import type { Credential } from '../../../src/handshake/credential.ts';
import { deriveKeys } from '../../../src/handshake/keys.ts';
import { alice, bob } from '../../sim/exchange.ts';

function textsOf(credential: Credential): string[] {
  const { request, challenge, response, grant, proof, session } = deriveKeys(credential);
  return [request, challenge, response, grant, proof.of(), session].map(toHex);
}

test('P8, P10: every key of every credential is another', (t) => {
  const credentials = [
    alice,
    { ...alice, tag: bob.tag },
    { ...alice, secret: bob.secret },
    { ...alice, responderId: new Uint8Array(16) },
  ];
  t.is(new Set(credentials.flatMap(textsOf)).size, 4 * 6);
  t.deepEqual(textsOf(alice), textsOf({ ...alice }));
});

for (const part of ['tag', 'secret', 'responderId'] as const) {
  test(`refuses a ${part} of a wrong length`, (t) => {
    const { length } = alice[part];
    for (const wrong of [0, length - 1, length + 1]) {
      t.throws(() => deriveKeys({ ...alice, [part]: new Uint8Array(wrong) }), {
        instanceOf: RangeError,
      });
    }
  });
}
