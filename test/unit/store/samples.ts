import fc from 'fast-check';
import { parsePrefix } from '../../../src/bytes/prefix.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { parseHost } from '../../../src/store/host-name.ts';
import type { PeerRequest } from '../../../src/store/peer-store.ts';
import { DEFAULT_PORT, isProfileName, type Profile } from '../../../src/store/profile.ts';
import type { SequenceKey } from '../../../src/store/sequence-key.ts';
import { parseSequenceShape } from '../../../src/units/sequence-shape.ts';
import { admissions } from '../../../src/units/admission.ts';
import { hmacTypes } from '../../../src/units/hmac-type.ts';
import { parsePeerName, parseServiceName } from '../../../src/units/names.ts';
import { isPort, parseServicePort } from '../../../src/units/network.ts';
import { parseDuration } from '../../../src/units/time.ts';

const entropy = new FakeEntropy(7);

/** What is said about a new peer, with what differs from the usual. */
export function peerRequest(name: string, changes: Partial<PeerRequest> = {}): PeerRequest {
  return {
    name: parsePeerName(name),
    services: [parseServiceName('ssh')],
    admission: null,
    ttlMs: null,
    cutOnRevoke: null,
    ...changes,
  };
}

/** A profile of its own keys, with what differs from the usual. */
export function profile(changes: Partial<Profile> = {}): Profile {
  return {
    name: 'vpn.example.org',
    hosts: ['vpn.example.org'],
    port: DEFAULT_PORT,
    responderId: entropy.bytes(16),
    peer: parsePeerName('alice'),
    tag: entropy.bytes(8),
    secret: entropy.bytes(32),
    services: new Map([[parseServiceName('ssh'), [parseServicePort('tcp/22')]]]),
    expect: [],
    ...changes,
  };
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

const host = fc
  .oneof(fc.domain(), fc.ipV4(), fc.ipV6())
  .map(parseHost)
  .filter((text) => text !== null);

const servicePort = fc
  .tuple(fc.constantFrom('tcp', 'udp'), fc.integer({ min: 1, max: 65_535 }))
  .map(([protocol, port]) => parseServicePort(`${protocol}/${String(port)}`));

const serviceName = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/).map(parseServiceName);

const peerName = fc.stringMatching(/^[A-Za-z0-9_@][A-Za-z0-9._@-]{0,63}$/).map(parsePeerName);

const shape = parseSequenceShape('udp:1024-65535:16');
if (shape === null) throw new Error('no shape');

const sequenceKey: fc.Arbitrary<SequenceKey> = fc.record({
  shape: fc.constant(shape),
  secret: bytes(32),
});

/** Any profile that can be. */
export const anyProfile: fc.Arbitrary<Profile> = fc
  .record({
    name: fc.option(
      fc.stringMatching(/^[A-Za-z0-9._:@][A-Za-z0-9._:@-]{0,60}$/).filter(isProfileName),
    ),
    hosts: fc.array(host, { minLength: 1, maxLength: 4 }),
    port: fc.integer({ min: 1, max: 65_535 }).filter(isPort),
    responderId: bytes(16),
    peer: peerName,
    tag: bytes(8),
    secret: bytes(32),
    sequence: fc.option(sequenceKey),
    services: fc
      .array(fc.tuple(serviceName, fc.array(servicePort, { minLength: 1, maxLength: 16 })), {
        minLength: 1,
        maxLength: 4,
      })
      .map((pairs) => new Map(pairs)),
    expect: fc.array(
      fc
        .oneof(fc.ipV4(), fc.ipV6())
        .map(parsePrefix)
        .filter((each) => each !== null),
      {
        maxLength: 3,
      },
    ),
  })
  .map(({ name, sequence, ...rest }) => ({
    ...rest,
    ...(sequence && { sequence }),
    name: name ?? rest.hosts[0] ?? '',
  }));

const fwknopKeys = fc.record({
  key: fc.uint8Array({ minLength: 1, maxLength: 32 }),
  hmacKey: fc.uint8Array({ minLength: 1, maxLength: 128 }),
  hmacType: fc.constantFrom(...hmacTypes),
});

/** Anything that can be said about a peer. */
export const anyPeerRequest: fc.Arbitrary<PeerRequest> = fc
  .record({
    name: peerName,
    services: fc.uniqueArray(serviceName, { minLength: 1, maxLength: 5 }),
    admission: fc.option(fc.constantFrom(...admissions)),
    ttlMs: fc.option(
      fc.integer({ min: 1000, max: 86_400_000 }).map((ms) => parseDuration(`${String(ms)}ms`)),
    ),
    cutOnRevoke: fc.option(fc.boolean()),
    breadth: fc.constantFrom({}, { prefix: true } as const),
  })
  .map(({ breadth, ...request }) => ({ ...request, ...breadth }))
  .chain((request) =>
    fc.option(fwknopKeys).map((fwknop) => (fwknop === null ? request : { ...request, fwknop })),
  );
