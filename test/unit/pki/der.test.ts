import test from 'ava';
import fc from 'fast-check';
import { readDer, type DerReader, tags } from '../../../src/pki/der.ts';
import {
  readObjectIdentifier,
  readSerial,
  readTime,
  readUnsigned,
} from '../../../src/pki/der-values.ts';
import { encodeAuthorisation, encodeInteger } from '../../../src/pki/der-writer.ts';
import { readAuthorisation } from '../../../src/pki/authorisation.ts';
import { decodePem, encodePem, pemOrDer } from '../../../src/pki/pem.ts';
import type { Port } from '../../../src/units/network.ts';

/** What `read` makes of bytes in hexadecimal; null when it refuses them. */
function read<T>(hex: string, reader: (reader: DerReader) => T): T | null {
  return readDer(Buffer.from(hex, 'hex'), reader);
}

const integers: readonly (readonly [hex: string, value: string | null])[] = [
  ['020100', '00'],
  ['02017f', '7f'],
  ['02020080', '80'],
  ['020180', null], // negative
  ['0202007f', null], // a zero too many
  ['0200', null],
  ['02810101', null], // a longer length than needed
  ['0282000101', null],
  ['028001', null], // indefinite
  ['0201', null],
  ['02010000', null], // something left over
  ['030100', null],
];

for (const [hex, value] of integers) {
  test(`the integer ${hex} is ${value ?? 'refused'}`, (t) => {
    const bytes = read(hex, readUnsigned);
    t.is(bytes === null ? null : Buffer.from(bytes).toString('hex'), value);
  });
}

test('a serial number is not zero, and of at most 20 bytes', (t) => {
  t.is(read('020101', readSerial), '01');
  t.is(read('020100', readSerial), null);
  t.is(read(`0214${'7f'.repeat(20)}`, readSerial), '7f'.repeat(20));
  t.is(read(`0215${'7f'.repeat(21)}`, readSerial), null);
});

const identifiers: readonly (readonly [hex: string, id: string | null])[] = [
  ['0603551d11', '2.5.29.17'],
  ['06082a8648ce3d040302', '1.2.840.10045.4.3.2'],
  ['060100', '0.0'],
  ['0600', null],
  ['060380551d', null], // a leading zero in an arc
  ['060255ff', null], // cut off
];

for (const [hex, id] of identifiers) {
  test(`the object identifier ${hex} is ${id ?? 'refused'}`, (t) => {
    t.is(read(hex, readObjectIdentifier), id);
  });
}

const times: readonly (readonly [tag: number, text: string, iso: string | null])[] = [
  [tags.utcTime, '491231235959Z', '2049-12-31T23:59:59.000Z'],
  [tags.utcTime, '500101000000Z', '1950-01-01T00:00:00.000Z'],
  [tags.generalizedTime, '20500101000000Z', '2050-01-01T00:00:00.000Z'],
  [tags.generalizedTime, '99991231235959Z', '9999-12-31T23:59:59.000Z'],
  [tags.utcTime, '260230000000Z', null],
  [tags.utcTime, '261301000000Z', null],
  [tags.utcTime, '260101240000Z', null],
  [tags.utcTime, '2601010000Z', null],
  [tags.utcTime, '260101000000+0100', null],
  [tags.generalizedTime, '20260101000000.5Z', null],
];

for (const [tag, text, iso] of times) {
  test(`the time ${text} is ${iso ?? 'refused'}`, (t) => {
    const bytes = Buffer.concat([Buffer.from([tag, text.length]), Buffer.from(text)]);
    const unixMs = readDer(bytes, readTime);
    t.is(unixMs === null ? null : new Date(unixMs).toISOString(), iso);
  });
}

test('what is written is read back', (t) => {
  const port = fc.record({
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    port: fc.integer({ min: 1, max: 65_535 }) as fc.Arbitrary<Port>,
  });
  const selector = ({ protocol, port: number }: { protocol: string; port: number }): string =>
    `${protocol}/${String(number)}`;
  const ports = fc.uniqueArray(port, { minLength: 1, maxLength: 256, selector });
  fc.assert(
    fc.property(ports, (some) => {
      t.deepEqual(readDer(encodeAuthorisation(some), readAuthorisation), some);
    }),
    { numRuns: 50 },
  );
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 1n << 160n }), (number) => {
      const bytes = readDer(encodeInteger(number), readUnsigned);
      t.is(BigInt(`0x${Buffer.from(bytes ?? []).toString('hex')}`), number);
    }),
  );
});

test('a block of PEM is read back, whatever stands around it; anything else is refused', (t) => {
  const der = Uint8Array.from({ length: 100 }, (_, at) => at);
  const pem = encodePem(der, 'X509 CRL');
  t.deepEqual(decodePem(`text\n${pem}more`, 'X509 CRL'), der);
  t.deepEqual(decodePem(pem.replaceAll('\n', '\r\n'), 'X509 CRL'), der);
  t.deepEqual(pemOrDer(Buffer.from(pem), 'X509 CRL'), der);
  t.deepEqual(pemOrDer(der, 'X509 CRL'), der);
  t.is(decodePem(pem, 'CERTIFICATE'), null);
  t.is(pemOrDer(Buffer.from(pem), 'CERTIFICATE'), null);
  t.is(decodePem(pem.slice(0, -5), 'X509 CRL'), null);
  t.is(decodePem(pem.replace('A', '*'), 'X509 CRL'), null);
});
