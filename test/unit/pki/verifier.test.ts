import { execFileSync } from 'node:child_process';
import { createECDH, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { derOf } from '../../../src/crypto/p256.ts';
import { HknockError } from '../../../src/errors/hknock-error.ts';
import type { ClientCertificate } from '../../../src/pki/certificate.ts';
import { readRevocationList } from '../../../src/pki/revocation-list.ts';
import { CertificateVerifier } from '../../../src/pki/verifier.ts';
import type { UnixMs } from '../../../src/units/time.ts';
import { extensionsWith, namesOf, OpensslCa, type Wanted } from './openssl-ca.ts';

const ca = new OpensslCa(null);
const other = new OpensslCa(null);
test.after.always(() => {
  ca.remove();
  other.remove();
});

const DAY_MS = 86_400_000;
const now = (Date.now() + 3_600_000) as UnixMs;
const verifier = new CertificateVerifier({ ca: ca.der });
const alice = ca.issue('alice', { serial: 'c0ffee' });

function certificateOf(der: Uint8Array, by = verifier): ClientCertificate {
  const result = by.verify(der, now);
  if (typeof result === 'string') throw new Error(result);
  return result;
}

test('a certificate that OpenSSL made is read as OpenSSL reads it', (t) => {
  const { authorised, publicKey, ...rest } = certificateOf(alice);
  const print = (...what: string[]): string =>
    ca.run('x509', '-in', 'alice.pem', '-noout', ...what).trim();
  t.deepEqual<unknown, unknown>(authorised, [
    { protocol: 'tcp', port: 2000 },
    { protocol: 'udp', port: 8000 },
  ]);
  const [, fingerprint = ''] = print('-fingerprint', '-sha256').split('=');
  t.is(rest.fingerprint, fingerprint.replaceAll(':', '').toLowerCase());
  t.is(print('-serial'), `serial=${rest.serial.toUpperCase()}`);
  t.is<string, string>(rest.peer, 'cert-c0ffee');
  t.is(rest.subject, 'alice');
  const pem = execFileSync('openssl', ['pkey', '-in', ca.path('alice.key'), '-pubout']);
  t.is(publicKey.export({ format: 'pem', type: 'spki' }), pem.toString());
  const { validFrom, validTo } = datesOf(print('-dates'));
  t.is<number, number>(rest.notBefore, validFrom);
  t.is<number, number>(rest.notAfter, validTo);
});

function datesOf(text: string) {
  const date = (key: string): number => Date.parse(new RegExp(`${key}=(.*)`).exec(text)?.[1] ?? '');
  return { validFrom: date('notBefore'), validTo: date('notAfter') };
}

const rsa = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'];
const p384 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'];
const k256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'];
const spelledOut = [
  ...['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ...['-pkeyopt', 'ec_param_enc:explicit'],
];
const AUTHORISATION = '1.3.6.1.4.1.19518';

const refused: readonly (readonly [title: string, wanted: Wanted, fault: string])[] = [
  ['an RSA key', { key: rsa }, 'certificate-wrong-key'],
  ['a key on P-384', { key: p384 }, 'certificate-wrong-key'],
  ['a key on secp256k1', { key: k256 }, 'certificate-wrong-key'],
  ['a curve whose parameters are spelt out', { key: spelledOut }, 'certificate-wrong-key'],
  ['a signature by SHA-384', { digest: 'sha384' }, 'certificate-untrusted'],
  ['CA:TRUE', extended({ constraints: 'basicConstraints = CA:TRUE' }), 'certificate-wrong-usage'],
  ['no key usage', extended({ usage: '' }), 'certificate-wrong-usage'],
  [
    'a key usage without keyAgreement',
    extended({ usage: 'keyUsage = digitalSignature' }),
    'certificate-wrong-usage',
  ],
  [
    'a key usage without digitalSignature',
    extended({ usage: 'keyUsage = keyAgreement' }),
    'certificate-wrong-usage',
  ],
  ['no extended key usage', extended({ purpose: '' }), 'certificate-wrong-usage'],
  [
    'an extended key usage for servers',
    extended({ purpose: 'extendedKeyUsage = serverAuth' }),
    'certificate-wrong-usage',
  ],
  [
    'an unknown critical extension',
    { extensions: ['1.2.3.4 = critical, ASN1:NULL', ...extensionsWith({})] },
    'certificate-wrong-usage',
  ],
  ['no subjectAltName', extended({ names: '' }), 'certificate-no-authorisation'],
  [
    'a subjectAltName with hosts only',
    extended({ names: namesOf('DNS = a.example', 'IP = 192.0.2.1') }),
    'certificate-no-authorisation',
  ],
  [
    'an otherName of another type',
    extended({ names: namesOf('otherName = 1.3.6.1.4.1.19519;UTF8:1.22') }),
    'certificate-no-authorisation',
  ],
  [
    'the older OCTET STRING',
    named(';FORMAT:ASCII,OCT:TCP2000,TCP3000'),
    'certificate-old-authorisation',
  ],
  ['an authorisation as IA5String', named(';IA5:1.22'), 'certificate-bad-authorisation'],
  ...['2.22', '1.0', '1.65536', '1.022', '1.22,', '1.', '22', 'tcp/22', '1.22;1.23'].map(
    (text) =>
      [
        `the authorisation '${text}'`,
        named(`;UTF8:${text}`),
        'certificate-bad-authorisation',
      ] as const,
  ),
];

function extended(changes: Parameters<typeof extensionsWith>[0]): Wanted {
  return { extensions: extensionsWith(changes) };
}

function named(value: string): Wanted {
  return extended({ names: namesOf(`otherName = ${AUTHORISATION}${value}`) });
}

refused.forEach(([title, wanted, fault], at) => {
  test(`a certificate with ${title} is refused: ${fault}`, (t) => {
    t.is(verifier.verify(ca.issue(`refused-${String(at)}`, wanted), now), fault as never);
  });
});

test('two authorisations in one certificate are refused', (t) => {
  const names = namesOf(
    `otherName.1 = ${AUTHORISATION};UTF8:1.22`,
    `otherName.2 = ${AUTHORISATION};UTF8:1.23`,
  );
  t.is(verifier.verify(ca.issue('two', extended({ names })), now), 'certificate-bad-authorisation');
});

test('a certificate without basic constraints, and with hosts beside the authorisation, is good', (t) => {
  const names = namesOf(
    'DNS = a.example',
    `otherName = ${AUTHORISATION};UTF8:1.22`,
    'email = a@b.example',
  );
  const der = ca.issue('plain', extended({ constraints: '', names }));
  t.is(certificateOf(der).authorised.length, 1);
});

test("another authority's certificate is refused, also when the authority has the same name", (t) => {
  t.is(verifier.verify(other.issue('mallory'), now), 'certificate-untrusted');
  const elsewhere = new OpensslCa(t, { name: 'Other CA' });
  t.is(verifier.verify(elsewhere.issue('mallory'), now), 'certificate-untrusted');
});

test('a certificate is good from its first second through its last', (t) => {
  const { notBefore, notAfter } = certificateOf(alice);
  const at = (unixMs: number) => verifier.verify(alice, unixMs as UnixMs);
  t.is(at(notBefore - 1), 'certificate-not-yet-valid');
  t.not(typeof at(notBefore), 'string');
  t.not(typeof at(notAfter + 999), 'string');
  t.is(at(notAfter + 1000), 'certificate-expired', 'from the cache as well');
  t.is(
    new CertificateVerifier({ ca: ca.der }).verify(alice, (notAfter + 1000) as UnixMs),
    'certificate-expired',
  );
});

test('every certificate cut short, longer by a byte or with one bit changed is refused', (t) => {
  const fresh = new CertificateVerifier({ ca: ca.der });
  for (let length = 0; length < alice.length; length++) {
    t.is(fresh.verify(alice.subarray(0, length), now), 'certificate-malformed');
  }
  t.is(fresh.verify(Buffer.concat([alice, Buffer.from([0])]), now), 'certificate-malformed');
  t.is(fresh.verify(new Uint8Array(100_000).fill(0x30), now), 'certificate-malformed');
  for (let bit = 0; bit < alice.length * 8; bit++) {
    const changed = Uint8Array.from(alice);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
    t.is(typeof fresh.verify(changed, now), 'string', String(bit));
  }
  t.is(fresh.cached, 0);
});

test('one certificate whose signature has been changed into another good one is still one peer', (t) => {
  const first = certificateOf(alice);
  const second = certificateOf(withOtherSignature(alice));
  t.not(second.fingerprint, first.fingerprint);
  t.is(second.peer, first.peer);
});

const BODY_AT = 4;

const ALGORITHM = Buffer.from('300a06082a8648ce3d040302', 'hex');

/** The order of P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The same certificate with n - s for s in its ECDSA signature. */
function withOtherSignature(der: Uint8Array): Uint8Array {
  const body = bodyOf(der);
  // the bit string's header is followed by SEQUENCE { INTEGER r, INTEGER s }
  const signature = Buffer.from(der.subarray(BODY_AT + body.length + ALGORITHM.length + 3));
  const sAt = 4 + (signature[3] ?? 0);
  const r = BigInt(`0x${signature.subarray(4, sAt).toString('hex')}`);
  const s = BigInt(`0x${signature.subarray(sAt + 2).toString('hex')}`);
  const digits = [r, ORDER - s].map((each) => each.toString(16).padStart(64, '0'));
  return signedAs(body, derOf(Buffer.from(digits.join(''), 'hex')));
}

test('as many certificates are remembered as there is room for, and the one used longest ago goes', (t) => {
  const small = new CertificateVerifier({ ca: ca.der, cacheSize: 2 });
  const [a, b, c] = ['a', 'b', 'c'].map((name) => ca.issue(name)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const [first, second] = [certificateOf(a, small), certificateOf(b, small)];
  t.is(certificateOf(a, small), first, 'the very same');
  certificateOf(c, small);
  t.is(small.cached, 2);
  t.is(certificateOf(a, small), first);
  t.not(certificateOf(b, small), second, 'read again');
});

test('what the caller does with the bytes later does not reach what is remembered', (t) => {
  const fresh = new CertificateVerifier({ ca: ca.der });
  const bytes = Uint8Array.from(alice);
  const { der } = certificateOf(bytes, fresh);
  bytes.fill(0);
  t.deepEqual(Buffer.from(der), Buffer.from(alice));
  t.is(fresh.verify(bytes, now), 'certificate-malformed');
});

test('a certificate on the list is refused, and everything remembered is looked at anew', (t) => {
  const own = new CertificateVerifier({ ca: ca.der });
  const [gone, stays] = [ca.issue('gone'), ca.issue('stays')];
  certificateOf(gone, own);
  certificateOf(stays, own);
  ca.revoke('gone');
  const list = readRevocationList(ca.crl(), own.anchor);
  if (typeof list === 'string') throw new Error(list);
  own.setRevocations(list);
  t.is(own.cached, 0);
  t.is(own.verify(gone, now), 'certificate-revoked');
  t.is(certificateOf(stays, own).subject, 'stays');
  own.setRevocations(null);
  t.is(certificateOf(gone, own).subject, 'gone');
});

test('where a list must be fresh, nobody gets in without one or with one that is out of date', (t) => {
  const strict = new CertificateVerifier({ ca: ca.der, requireFreshCrl: true });
  t.is(strict.verify(alice, now), 'crl-stale');
  const list = readRevocationList(ca.crl(), strict.anchor);
  if (typeof list === 'string') throw new Error(list);
  strict.setRevocations(list);
  t.not(typeof strict.verify(alice, now), 'string');
  t.is(strict.verify(alice, (now + 31 * DAY_MS) as UnixMs), 'crl-stale');
  const easy = new CertificateVerifier({ ca: ca.der });
  easy.setRevocations(list);
  t.not(typeof easy.verify(alice, (now + 31 * DAY_MS) as UnixMs), 'string');
});

const wrongAuthorities = {
  'an RSA key': { key: rsa },
  'a key on P-384': { key: p384 },
  'no CA:TRUE': { extensions: ['basicConstraints = CA:FALSE'] },
  'a key usage without cRLSign': {
    extensions: ['basicConstraints = CA:TRUE', 'keyUsage = keyCertSign'],
  },
} as const;

for (const [title, options] of Object.entries(wrongAuthorities)) {
  test(`an authority with ${title} is refused as configuration`, (t) => {
    const wrong = new OpensslCa(t, {
      extensions: ['basicConstraints = CA:TRUE'],
      ...options,
    });
    const fault = t.throws(() => new CertificateVerifier({ ca: wrong.der }), {
      instanceOf: HknockError,
    });
    t.is(fault.code, 'config');
  });
}

const generator = createECDH('prime256v1').generateKeys();
const x = generator.subarray(1, 33);

const wrongPoints = {
  'not on the curve': Buffer.concat([Buffer.from([4]), x, x]),
  'at infinity': Buffer.alloc(65),
  'with coordinates beyond the field': Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 0xff)]),
  'in the hybrid form': Buffer.concat([Buffer.from([6]), generator.subarray(1)]),
};

for (const [title, point] of Object.entries(wrongPoints)) {
  test(`a certificate whose key is a point ${title} is refused, though the authority signed it`, (t) => {
    const at = Buffer.from(alice).indexOf('034200', 0, 'hex') + 3;
    const signed = (bytes: Uint8Array): Uint8Array =>
      resign(alice, (body) => {
        body.set(bytes, at - BODY_AT);
      });
    t.not(typeof verifier.verify(signed(generator), now), 'string');
    t.is(verifier.verify(signed(point), now), 'certificate-wrong-key');
  });
}

/** A certificate with other bytes in its signed part, signed by the authority. */
function resign(der: Uint8Array, change: (body: Buffer) => void): Uint8Array {
  const body = bodyOf(der);
  change(body);
  return signedAs(body, sign('sha256', body, readFileSync(ca.path('ca.key'))));
}

/** The signed part of a certificate of usual length. */
function bodyOf(der: Uint8Array): Buffer {
  const length = Buffer.from(der).readUInt16BE(BODY_AT + 2) + 4;
  return Buffer.from(der.slice(BODY_AT, BODY_AT + length));
}

function signedAs(body: Buffer, signature: Uint8Array): Uint8Array {
  const bits = Buffer.concat([Buffer.from([3, signature.length + 1, 0]), signature]);
  const content = Buffer.concat([body, ALGORITHM, bits]);
  const header = Buffer.from([0x30, 0x82, content.length >> 8, content.length & 0xff]);
  return Buffer.concat([header, content]);
}
