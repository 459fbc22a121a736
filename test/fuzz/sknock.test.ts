import { createPublicKey } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { readCertificate, readKey } from '../../fixtures/oracle/sknock.ts';
import { parseAddress } from '../../src/bytes/address.ts';
import { KnockLimits } from '../../src/guard/knock-limits.ts';
import { CertificateVerifier } from '../../src/pki/verifier.ts';
import { encodeDatagram } from '../../src/sknock/datagram.ts';
import { sealRequest } from '../../src/sknock/ecies.ts';
import { ReplayCache } from '../../src/sknock/replay-cache.ts';
import { sknockServer } from '../support/sknock.ts';
import { encodeSignedRequest } from '../../src/sknock/signed-request.ts';
import { createSystemEntropy } from '../../src/system/entropy.ts';
import { parseServiceName } from '../../src/units/names.ts';
import { parseDuration, type MonotonicMs, type UnixMs } from '../../src/units/time.ts';

const plenty = { perSecond: 1e6, burst: 1e6 };
const receive = sknockServer({
  privateKey: readKey('server'),
  certificates: new CertificateVerifier({ ca: readCertificate('ca') }),
  serviceOf: () => parseServiceName('any'),
  windowMs: parseDuration('7s'),
  checkAddress: true,
  minFrameLength: 0,
  limits: new KnockLimits(plenty, plenty),
  replays: new ReplayCache(1024),
});

const unixMs = Date.UTC(2027, 0, 1) as UnixMs;
const source = parseAddress('192.0.2.1');
if (source === null) throw new Error();
const arrival = { source: { address: source, port: 7 }, unixMs, monotonicMs: 0 as MonotonicMs };

const serverKey = createPublicKey(readKey('server'));
const entropy = createSystemEntropy();

function sealed(plaintext: Uint8Array): Uint8Array {
  return encodeDatagram(sealRequest(plaintext, { serverKey, entropy }));
}

test('no bytes of a stranger open anything or bring the server down', (t) => {
  const property = fc.property(fc.uint8Array({ maxLength: 1300, size: 'max' }), (bytes) => {
    t.is(receive(bytes, arrival).kind, 'drop');
  });
  fc.assert(property, { numRuns: 2000 });
});

test('nor do any that are sealed for the server', (t) => {
  const property = fc.property(fc.uint8Array({ maxLength: 1100, size: 'max' }), (bytes) => {
    t.is(receive(sealed(bytes), arrival).kind, 'drop');
  });
  fc.assert(property, { numRuns: 500 });
});

test('nor do any that have the form of a request, with any certificate and signature', (t) => {
  const certificate = readCertificate('alice');
  const head = Buffer.concat([
    Buffer.from('0001001600000000', 'hex').subarray(0, 4),
    Buffer.from('c0000201'.padEnd(32, '0'), 'hex'),
    Buffer.from((unixMs / 1000).toString(16), 'hex'),
  ]);
  const certificates = fc.oneof(
    fc.constant(certificate),
    fc.uint8Array({ minLength: 1, maxLength: 900, size: 'max' }),
    fc
      .tuple(fc.nat(certificate.length - 1), fc.integer({ min: 1, max: 255 }))
      .map(([at, by]) => certificate.map((byte, i) => (i === at ? byte ^ by : byte))),
  );
  const signatures = fc.uint8Array({ minLength: 1, maxLength: 72, size: 'max' });
  const reasons = new Set<string>();
  const property = fc.property(certificates, signatures, (each, signature) => {
    const plaintext = encodeSignedRequest(Buffer.concat([head, each]), signature);
    const judged = receive(sealed(plaintext), arrival);
    t.is(judged.kind, 'drop');
    if (judged.kind === 'drop') reasons.add(judged.reason);
  });
  fc.assert(property, { numRuns: 1000 });
  t.true(reasons.has('signature'), 'some came that far');
});
