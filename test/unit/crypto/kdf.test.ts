import test from 'ava';
import { toHex } from '../../../src/bytes/bytes.ts';
import { hkdfExpand, hkdfExtract } from '../../../src/crypto/kdf.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

// RFC 5869, appendix A.1: the first 32 of its 42 bytes are what 32 bytes would be
test('gives the values of RFC 5869, test case 1', (t) => {
  const prk = hkdfExtract(hex('000102030405060708090a0b0c'), hex('0b'.repeat(22)));
  t.is(toHex(prk), '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5');
  t.is(
    toHex(hkdfExpand(prk, hex('f0f1f2f3f4f5f6f7f8f9'))),
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf',
  );
});

// RFC 5869, appendix A.3: salt and info of no length
test('gives the values of RFC 5869, test case 3', (t) => {
  const prk = hkdfExtract(new Uint8Array(), hex('0b'.repeat(22)));
  t.is(toHex(prk), '19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04');
  t.is(
    toHex(hkdfExpand(prk, new Uint8Array())),
    '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d',
  );
});
