import test from 'ava';
import { toHex } from '../../src/bytes/bytes.ts';
import { hkdfExtract } from '../../src/crypto/kdf.ts';
import { Mac } from '../../src/crypto/mac.ts';
import { deriveKeys } from '../../src/handshake/keys.ts';
import { bytes, readVectors } from './vector-file.ts';

const label = new TextEncoder().encode('hknock/1 psk');

for (const { name, credential, pseudoRandomKey, keys } of readVectors('keys')) {
  test(name, (t) => {
    const tag = bytes(credential.tag);
    const secret = bytes(credential.secret);
    const responderId = bytes(credential.responderId);
    const salt = Uint8Array.from([...label, ...responderId, ...tag]);
    t.is(toHex(hkdfExtract(salt, secret)), pseudoRandomKey);

    const derived = deriveKeys({ tag, secret, responderId });
    for (const each of ['request', 'challenge', 'response', 'grant', 'session'] as const) {
      t.is(toHex(derived[each]), keys[each], each);
    }
    t.deepEqual(derived.proof.of(tag), new Mac(bytes(keys.proof)).of(tag));
  });
}
