import { createDecipheriv, createPublicKey, verify } from 'node:crypto';
import test from 'ava';
import { KnockLimits } from '../../../src/guard/knock-limits.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { CertificateVerifier } from '../../../src/pki/verifier.ts';
import { createSknock } from '../../../src/sknock/initiator.ts';
import { ReplayCache } from '../../../src/sknock/replay-cache.ts';
import { sknockServer } from '../../support/sknock.ts';
import { parseServiceName } from '../../../src/units/names.ts';
import { type IpAddress, parseServicePort } from '../../../src/units/network.ts';
import { type MonotonicMs, parseDuration, type UnixMs } from '../../../src/units/time.ts';
import * as sknock from '../../../fixtures/oracle/sknock.ts';
import { address } from '../grants/plans.ts';

const { readCertificate, readKey } = sknock;

const unixMs = Date.UTC(2027, 0, 1) as UnixMs;
const identity = {
  certificate: readCertificate('alice'),
  privateKey: readKey('alice'),
  serverKey: createPublicKey(readKey('server')),
};

function responder() {
  const plenty = { perSecond: 100, burst: 100 };
  return sknockServer({
    privateKey: readKey('server'),
    certificates: new CertificateVerifier({ ca: readCertificate('ca') }),
    serviceOf: () => parseServiceName('any'),
    windowMs: parseDuration('7s'),
    checkAddress: true,
    minFrameLength: 800,
    limits: new KnockLimits(plenty, plenty),
    replays: new ReplayCache(10),
  });
}

function arrival(source: IpAddress) {
  return { source: { address: source, port: 7 }, unixMs, monotonicMs: 0 as MonotonicMs };
}

for (const [text, port] of [
  ['192.0.2.1', 'tcp/22'],
  ['2001:db8::1', 'udp/60001'],
] as const) {
  test(`a server takes what its client makes: ${port} from ${text}`, (t) => {
    const wish = {
      port: parseServicePort(port),
      address: address(text),
      issuedAtUnixS: unixMs / 1000,
    };
    const datagram = createSknock(identity, wish, new FakeEntropy());
    const judged = responder()(datagram, arrival(wish.address));
    if (judged.kind === 'drop') throw new Error(judged.reason);
    t.like(judged.knock, { port: wish.port, claimed: { address: wish.address, port: 0 } });
  });
}

test('what is made is what the specification says, read by OpenSSL alone', (t) => {
  const wish = {
    port: parseServicePort('tcp/22'),
    address: address('192.0.2.1'),
    issuedAtUnixS: unixMs / 1000,
  };
  const datagram = Buffer.from(createSknock(identity, wish, new FakeEntropy()));
  t.is(datagram.subarray(0, 4).toString('hex'), '61010000');
  const point = datagram.subarray(-65);
  const [x = '', y = ''] = [point.subarray(1, 33), point.subarray(33)].map((each) =>
    each.toString('base64url'),
  );
  const ephemeral = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
  const { key, iv } = sknock.secrets(readKey('server'), ephemeral);
  const cipher = createDecipheriv('aes-128-cbc', key, iv);
  const plaintext = Buffer.concat([cipher.update(datagram.subarray(4, -65)), cipher.final()]);
  const request = sknock.request({
    protocol: 1,
    port: 22,
    address: '192.0.2.1',
    timestamp: unixMs / 1000,
    certificate: readCertificate('alice'),
  });
  t.deepEqual(plaintext.subarray(0, request.length), request);
  const length = plaintext[request.length] ?? 0;
  const signature = plaintext.subarray(-length);
  t.deepEqual(plaintext.subarray(request.length), sknock.trailer(signature));
  t.true(verify('sha256', request, createPublicKey(readKey('alice')), signature));
});

test('no two datagrams of one wish have anything in common but the header', (t) => {
  const wish = {
    port: parseServicePort('tcp/22'),
    address: address('192.0.2.1'),
    issuedAtUnixS: unixMs / 1000,
  };
  const entropy = new FakeEntropy();
  const server = responder();
  const [first, second] = [0, 1].map(() => createSknock(identity, wish, entropy));
  if (first === undefined || second === undefined) throw new Error();
  t.deepEqual(first.subarray(0, 4), second.subarray(0, 4));
  t.notDeepEqual(first.subarray(4, 20), second.subarray(4, 20));
  // and as they are signed anew, both count
  t.is(server(first, arrival(wish.address)).kind, 'knock');
  t.is(server(second, arrival(wish.address)).kind, 'knock');
});

test('every bit of a datagram counts, but for those that say an older version', (t) => {
  const wish = {
    port: parseServicePort('tcp/22'),
    address: address('192.0.2.1'),
    issuedAtUnixS: unixMs / 1000,
  };
  const datagram = createSknock(identity, wish, new FakeEntropy());
  const letIn: number[] = [];
  for (let bit = 0; bit < 8 * datagram.length; bit++) {
    const flipped = Uint8Array.from(datagram);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (responder()(flipped, arrival(wish.address)).kind === 'knock') letIn.push(bit);
  }
  t.deepEqual(letIn, [8], 'version 0 0 0');
});
