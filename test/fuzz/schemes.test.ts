// Arbitrary knocks at each scheme of the vectors. fast-check prints seed and path of what fails.
import test from 'ava';
import fc from 'fast-check';
import { decodeScheme } from '../../src/config/scheme-files.ts';
import { covers } from '../../src/sequence/scheme.ts';
import type { Heard } from '../../src/sequence/tracker.ts';
import { parseServiceName } from '../../src/units/names.ts';
import type { IpAddress } from '../../src/units/network.ts';
import type { MonotonicMs, UnixMs } from '../../src/units/time.ts';
import { readVectors } from '../vectors/vector-file.ts';

const now = 1_800_000_000_000 as UnixMs;

/** One scheme for each file that the vectors have. */
const files = new Map(readVectors('schemes').map(({ scheme, name }) => [scheme, name]));

for (const [text, name] of files) {
  const file = decodeScheme(text, { file: 'door.toml', code: 'bad-input' });
  const scheme = file.listen({ serviceOf: () => parseServiceName('any'), latestOf: () => null });
  const [first] = file.watched;

  // most of them near the scheme's own ports, or none would come far
  const heard = fc
    .record({
      protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'icmp' as const),
      port: fc.oneof(
        fc.integer({ min: 0, max: 65_535 }),
        fc.nat(300).map((n) => ((first?.first ?? 0) + n) % 65_536),
        fc.constantFrom(...file.watched.flatMap((each) => [each.first, each.last])),
      ),
      source: fc.constantFrom('192.0.2.7', '192.0.2.8', '2001:db8::1'),
      sourcePort: fc.integer({ min: 0, max: 65_535 }),
      flags: fc.constantFrom(0x02, 0x01, 0x12),
      ttl: fc.nat(255),
      syn: fc.option(
        fc.record({
          window: fc.nat(65_535),
          dontFragment: fc.boolean(),
          length: fc.nat(100),
          options: fc.uint8Array({ maxLength: 40 }),
        }),
      ),
    })
    .map(({ flags, source, ...rest }): Heard => {
      const tcpFlags = rest.protocol === 'tcp' ? flags : null;
      return { ...rest, source: source as IpAddress, tcpFlags, at: 0 as MonotonicMs };
    });

  test(`whatever comes to the scheme of ${name}, it says nothing or names knocks of one source at its ports`, (t) => {
    fc.assert(
      fc.property(fc.array(heard, { maxLength: 40 }), (trail) => {
        const verdict = scheme.judge(trail, now);
        if (verdict === null) return;
        t.is(new Set(verdict.used.map(({ source }) => source)).size, 1);
        for (const each of verdict.used) {
          t.true(trail.includes(each));
          t.true(file.watched.some((ports) => covers(ports, each)));
        }
      }),
    );
    t.pass();
  });
}
