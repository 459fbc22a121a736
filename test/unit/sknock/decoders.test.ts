import test from 'ava';
import { toHex } from '../../../src/bytes/bytes.ts';
import { POINT_LENGTH } from '../../../src/bytes/key-lengths.ts';
import { decodeDatagram, encodeDatagram } from '../../../src/sknock/datagram.ts';
import {
  decodeSignedRequest,
  encodeRequest,
  encodeSignedRequest,
} from '../../../src/sknock/signed-request.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import { address } from '../grants/plans.ts';

const request = {
  port: parseServicePort('udp/60001'),
  address: address('192.0.2.1'),
  issuedAtUnixS: 4_294_967_295,
  certificate: new Uint8Array(5).fill(0xce),
};
const signature = new Uint8Array(70).fill(0x51);
const plaintext = encodeSignedRequest(encodeRequest(request), signature);

test('a request is read as it was written', (t) => {
  const decoded = decodeSignedRequest(plaintext);
  const { port, issuedAtUnixS, certificate } = request;
  t.like(decoded, { port, issuedAtUnixS, certificate });
  t.deepEqual(decoded?.signature, signature);
  t.deepEqual(decoded?.signed, encodeRequest(request));
  t.is(toHex(decoded?.addressBytes ?? new Uint8Array()), 'c0000201'.padEnd(32, '0'));
});

test('no prefix of a plaintext up to its certificate is a request', (t) => {
  for (let length = 0; length <= 24 + 73; length++) {
    t.is(decodeSignedRequest(plaintext.subarray(0, length)), null, String(length));
  }
});

test('a signature may have 1 to 72 bytes, and nothing but zero stands before it', (t) => {
  const encoded = encodeRequest(request);
  for (const length of [1, 71, 72]) {
    const read = decodeSignedRequest(encodeSignedRequest(encoded, signature.subarray(0, length)));
    t.is(read?.signature.length, Math.min(length, signature.length));
  }
  const stray = Uint8Array.from(plaintext);
  stray[encoded.length + 1] = 1;
  t.is(decodeSignedRequest(stray), null);
});

const sealed = {
  ciphertext: new Uint8Array(32).fill(0xaa),
  point: Uint8Array.of(4, ...new Uint8Array(POINT_LENGTH - 1).fill(0xbb)),
};
const datagram = encodeDatagram(sealed);

test('a datagram is read as it was written', (t) => {
  t.deepEqual(decodeDatagram(datagram), sealed);
});

test('a datagram has whole blocks, at least one', (t) => {
  for (let length = 0; length < datagram.length; length++) {
    const prefix = decodeDatagram(datagram.subarray(0, length));
    t.not(typeof prefix, 'object', String(length));
    // one block less: its point begins elsewhere
    t.is(prefix, length === datagram.length - 16 ? 'point' : 'length', String(length));
  }
  t.is(decodeDatagram(encodeDatagram({ ...sealed, ciphertext: new Uint8Array() })), 'length');
});

test('of the first four bytes only the id and a greater version matter', (t) => {
  const read = (...first: readonly number[]): unknown =>
    decodeDatagram(Uint8Array.of(...first, ...datagram.subarray(first.length)));
  t.is(read(0x62), 'id');
  for (const version of [
    [1, 0, 1],
    [1, 1, 0],
    [2, 0, 0],
    [255, 255, 255],
  ]) {
    t.is(read(0x61, ...version), 'version', String(version));
  }
  for (const version of [
    [0, 0, 0],
    [0, 255, 255],
    [1, 0, 0],
  ]) {
    t.deepEqual(read(0x61, ...version), sealed, String(version));
  }
});
