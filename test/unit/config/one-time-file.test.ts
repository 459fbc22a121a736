import test from 'ava';
import { type OneTimeRequest, renderOneTimeFile } from '../../../src/config/one-time-file.ts';
import { decodeScheme } from '../../../src/config/scheme-files.ts';
import { createSystemEntropy } from '../../../src/system/entropy.ts';
import { parsePeerName, parseServiceName } from '../../../src/units/names.ts';
import type { PortRange } from '../../../src/units/network.ts';
import { faultOf } from '../store/scratch.ts';

const request: OneTimeRequest = {
  peer: parsePeerName('alice'),
  service: parseServiceName('ssh'),
  ports: { first: 10_000, last: 10_099 } as PortRange,
  knocks: 6,
  count: 1000,
  numberPort: 10_100,
};

const decode = (text: string) =>
  decodeScheme(text, { file: 'door.toml', code: 'config', content: 'secret' });

test('1000 sequences of 6 different ports of the range, as the paper has them', (t) => {
  const scheme = decode(renderOneTimeFile(request, createSystemEntropy()));
  t.like(scheme, { kind: 'one-time', peer: 'alice', numberPort: 10_100 });
  const seen = new Set<number>();
  for (let number = 1; number <= 1000; number++) {
    const ports = scheme.hits({ action: 'open', number }).map(({ port }) => port);
    t.is(new Set(ports).size, 6);
    for (const port of ports) seen.add(port);
  }
  t.deepEqual([Math.min(...seen), Math.max(...seen), seen.size], [10_000, 10_099, 100]);
});

const sound = renderOneTimeFile({ ...request, count: 2 }, createSystemEntropy());

for (const [what, text, key] of [
  ['a line that is shorter', sound.replace(/,\d+\n"""/, '\n"""'), 'sequences'],
  ['a port that is none', sound.replace(/,\d+\n"""/, ',65536\n"""'), 'sequences'],
  ['a port that nobody watches', sound.replace(/,\d+\n"""/, ',9999\n"""'), 'sequences'],
  ['a number port that is watched', sound.replace('10100', '10099'), 'number_port'],
] as const) {
  test(`${what}: refused, and no port is in the message`, async (t) => {
    const fault = await faultOf(() => decode(text));
    t.is(fault.code, 'config');
    t.regex(fault.message, new RegExp(`door.toml:\\d+: ${key}`));
    t.notRegex(fault.message, /\d{4,5},\d{4,5}/);
  });
}
