// What the messages may say, for fast-check.
import fc from 'fast-check';
import { refusalReasons } from '../../../../src/errors/refusal-reason.ts';
import type { RequestBody } from '../../../../src/handshake/wire/request.ts';
import type { GrantBody } from '../../../../src/handshake/wire/grant.ts';
import { decodeEndpoint } from '../../../../src/bytes/address.ts';
import { admissions, hasOwnPort } from '../../../../src/units/admission.ts';
import type { Granted, Refused } from '../../../../src/units/knock.ts';
import { type GrantId, parseServiceName } from '../../../../src/units/names.ts';
import { parseServicePort, type Port } from '../../../../src/units/network.ts';
import type { DurationMs } from '../../../../src/units/time.ts';

export const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });

const mapped = bytesOf(6).map((tail) => Uint8Array.from([...ipv4Mapped, ...tail]));
const ipv4Mapped = Uint8Array.from([...new Uint8Array(10), 0xff, 0xff]);

export const endpoints = fc.oneof(mapped, bytesOf(18)).map((bytes) => decodeEndpoint(bytes, 0));

export const services = fc
  .stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/)
  .map((text) => parseServiceName(text));

const breadth = fc.constantFrom({}, { breadth: 'prefix' } as const);

const anyAdmission = fc.constantFrom(...admissions);

export const wishes: fc.Arbitrary<RequestBody> = fc
  .record({
    // all zero is how withholding is written
    claimed: fc.option(endpoints.filter(({ address, port }) => address !== '::' || port !== 0)),
    service: services,
    admission: fc.option(anyAdmission),
    breadth,
  })
  .map(({ breadth: said, ...wish }) => ({ ...wish, ...said }));

const ports = fc
  .tuple(fc.constantFrom('tcp', 'udp'), fc.integer({ min: 1, max: 65_535 }))
  .map(([protocol, port]) => parseServicePort(`${protocol}/${String(port)}`));

const ownPort = fc.integer({ min: 1, max: 65_535 }).map((port) => port as Port);

const grants: fc.Arbitrary<Granted> = anyAdmission.chain((admission) =>
  fc
    .record({
      kind: fc.constant('granted' as const),
      admissionPort: hasOwnPort(admission) ? ownPort : fc.constant(null),
      grant: bytesOf(8).map((bytes) => Buffer.from(bytes).toString('hex') as GrantId),
      admission: fc.constant(admission),
      lifetimeMs: fc.integer({ min: 1, max: 0xffff_ffff }).map((ms) => ms as DurationMs),
      ports: fc.array(ports, { minLength: 1, maxLength: 16 }),
      breadth,
    })
    .map(({ breadth: said, ...granted }) => ({ ...granted, ...said })),
);

const refusals: fc.Arbitrary<Refused> = fc.oneof(
  fc.record({
    kind: fc.constant('refused' as const),
    reason: fc.constantFrom(...refusalReasons),
    acceptable: fc.constant([]),
  }),
  fc.record({
    kind: fc.constant('refused' as const),
    reason: fc.constant('admission-refused' as const),
    // widest first, as the set is written
    acceptable: fc
      .subarray([...admissions])
      .map((set) => admissions.filter((each) => set.includes(each))),
  }),
);

export const grantBodies: fc.Arbitrary<GrantBody> = fc.record({
  outcome: fc.oneof(grants, refusals),
  observed: endpoints,
});

/** A well-formed body with a few bytes overwritten: most of what is nearly right. */
export function nearly(
  body: Uint8Array,
  changes: readonly (readonly [number, number])[],
): Uint8Array {
  const changed = Uint8Array.from(body);
  for (const [at, value] of changes) changed[at % body.length] = value;
  return changed;
}

export const changes = fc.array(fc.tuple(fc.nat(500), fc.oneof(fc.constant(0), fc.nat(255))), {
  maxLength: 3,
});
