import test from 'ava';
import { ascii, concat, toHex } from '../../../src/bytes/bytes.ts';
import {
  KEY_LENGTH,
  NONCE_LENGTH,
  open,
  type Seal,
  seal,
  TAG_LENGTH,
} from '../../../src/crypto/aead.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

// draft-irtf-cfrg-xchacha-03, appendix A.3.1
const published: Seal = {
  key: hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f'),
  nonce: hex('404142434445464748494a4b4c4d4e4f5051525354555657'),
  ad: hex('50515253c0c1c2c3c4c5c6c7'),
};
const plaintext = ascii(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
);
const ciphertext =
  'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39' +
  'ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9' +
  '21f9664c97637da9768812f615c68b13b52e';
const tag = 'c0875924c1c7987947deafd8780acf49';

test('seals the published example', (t) => {
  t.is(toHex(seal(published, plaintext)), ciphertext + tag);
});

test('opens the published example', (t) => {
  t.deepEqual(open(published, hex(ciphertext + tag)), plaintext);
});

test('does not open when one bit of anything is another', (t) => {
  const sealed = hex(ciphertext + tag);
  const flipped = (bytes: Uint8Array, bit: number): Uint8Array =>
    bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
  for (let bit = 0; bit < 8 * sealed.length; bit++)
    t.is(open(published, flipped(sealed, bit)), null);
  for (const part of ['key', 'nonce', 'ad'] as const) {
    for (let bit = 0; bit < 8 * published[part].length; bit++) {
      t.is(open({ ...published, [part]: flipped(published[part], bit) }, sealed), null);
    }
  }
});

test('does not open at any other length, and does not throw', (t) => {
  const sealed = hex(ciphertext + tag);
  for (let length = 0; length < sealed.length; length++) {
    t.is(open(published, sealed.subarray(0, length)), null);
  }
  t.is(open(published, concat(sealed, Uint8Array.of(0))), null);
});

test('seals an empty plaintext to a tag alone', (t) => {
  const sealed = seal(published, new Uint8Array());
  t.is(sealed.length, TAG_LENGTH);
  t.deepEqual(open(published, sealed), new Uint8Array());
});

test('has the lengths of the draft', (t) => {
  t.deepEqual([KEY_LENGTH, NONCE_LENGTH, TAG_LENGTH], [32, 24, 16]);
});
