import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { pointOf } from '../../../src/crypto/p256.ts';
import {
  type CertificateKey,
  formatCertificateKey,
  parseCertificateKey,
} from '../../../src/store/certificate-key.ts';
import { decodeProfile, encodeProfile } from '../../../src/store/profile-file.ts';
import { profile } from './samples.ts';

function sample(certificateLength = 450): CertificateKey {
  const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    certificate: new Uint8Array(certificateLength).fill(0x30),
    privateKey: pair().privateKey,
    serverPoint: pointOf(pair().publicKey),
  };
}

test('a certificate with its keys is read back from a profile', (t) => {
  const certificate = sample();
  const read = decodeProfile(encodeProfile(profile({ certificate })), 'file').certificate;
  t.deepEqual(read?.certificate, certificate.certificate);
  t.deepEqual(read?.serverPoint, certificate.serverPoint);
  t.true(read?.privateKey.equals(certificate.privateKey));
});

test('anything else is none', (t) => {
  const text = formatCertificateKey(sample());
  const [certificate = '', key = '', point = ''] = text.split(' ');
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const other = rsa.export({ format: 'der', type: 'pkcs8' }).toString('base64url');
  const wrong = {
    'two parts': `${certificate} ${key}`,
    'four parts': `${text} ${point}`,
    'another kind of key': [certificate, other, point].join(' '),
    'a key cut off': [certificate, key.slice(4), point].join(' '),
    'a point cut off': [certificate, key, point.slice(4)].join(' '),
    'not base64url': [`${certificate}=`, key, point].join(' '),
    nothing: '  ',
  };
  for (const [what, each] of Object.entries(wrong)) t.is(parseCertificateKey(each), null, what);
  t.is(parseCertificateKey(formatCertificateKey(sample(701))), null, 'too long to be sent');
  t.truthy(parseCertificateKey(text));
});
