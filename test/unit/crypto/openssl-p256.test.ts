import { createECDH, generateKeyPairSync, sign, verify } from 'node:crypto';
import test from 'ava';
import { opensslAgreement, opensslVerification } from '../../../src/crypto/openssl-p256.ts';
import { isSignedBy, pointOf, sign as signShort } from '../../../src/crypto/p256.ts';

const own = createECDH('prime256v1');
own.generateKeys();
const agree = opensslAgreement(own.getPrivateKey());
const isSigned = opensslVerification();
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const message = Buffer.from('what is signed');

test("OpenSSL called by us agrees on what Node's ECDH agrees on", (t) => {
  for (let i = 0; i < 50; i++) {
    const other = createECDH('prime256v1');
    const point = other.generateKeys();
    const shared = agree?.(point) ?? new Uint8Array();
    t.deepEqual(Buffer.from(shared), other.computeSecret(own.getPublicKey()));
  }
});

test('what is no point of the curve is refused, and the next agreement is as good as before', (t) => {
  const other = createECDH('prime256v1');
  const point = Uint8Array.from(other.generateKeys());
  const shared = own.computeSecret(point);
  for (let at = 0; at < point.length; at++) {
    const changed = point.map((byte, i) => (i === at ? byte ^ 1 : byte));
    t.is(agree?.(changed), null, `byte ${String(at)}`);
    t.deepEqual(agree?.(point), shared);
  }
});

test('infinity, a point cut off and one too long are refused', (t) => {
  const point = createECDH('prime256v1').generateKeys();
  t.is(agree?.(Uint8Array.of(0)), null);
  t.is(agree?.(new Uint8Array(65)), null);
  t.is(agree?.(point.subarray(0, 64)), null);
  t.is(agree?.(Buffer.concat([point, Uint8Array.of(0)])), null);
});

test('a refusal leaves nothing behind that Node would take for a fault of its own', (t) => {
  agree?.(new Uint8Array(65));
  const other = createECDH('prime256v1');
  t.throws(
    () => {
      other.setPrivateKey(new Uint8Array(32));
    },
    {
      code: 'ERR_CRYPTO_INVALID_KEYTYPE',
    },
  );
  t.notThrows(() => own.computeSecret(other.generateKeys()));
});

test('OpenSSL called by us takes the signatures that Node takes, and no other', (t) => {
  const signature = Uint8Array.from(sign('sha256', message, privateKey));
  const point = pointOf(publicKey);
  t.true(isSigned?.(point, message, signature));
  for (let at = 0; at < signature.length; at++) {
    const changed = signature.map((byte, i) => (i === at ? byte ^ 1 : byte));
    t.false(verify('sha256', message, publicKey, changed), `byte ${String(at)}, Node`);
    t.is(isSigned?.(point, message, changed), false, `byte ${String(at)}`);
  }
  t.is(isSigned?.(point, message, Buffer.concat([signature, Uint8Array.of(0)])), false);
  t.is(isSigned?.(point, Buffer.from('what is not'), signature), false);
  t.is(
    isSigned?.(
      pointOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey),
      message,
      signature,
    ),
    false,
  );
  t.is(isSigned?.(new Uint8Array(65), message, signature), false);
  t.true(isSigned?.(point, message, signature), 'and the next one is as good as before');
});

test('signatures of 64 bytes are taken whatever their numbers begin with', (t) => {
  const beginnings = new Set<string>();
  // one in 256 numbers begins with a zero byte, every other one with a bit that DER would read as a sign
  for (let i = 0; i < 6000 && beginnings.size < 3; i++) {
    const signature = signShort(privateKey, message);
    const first = signature[0] ?? 0;
    beginnings.add(first === 0 ? 'zero' : first < 0x80 ? 'low' : 'high');
    t.true(isSignedBy(publicKey, message, signature));
  }
  t.is(beginnings.size, 3);
  t.false(isSignedBy(publicKey, message, new Uint8Array(64)));
});
