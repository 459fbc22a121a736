import test from 'ava';
import { decodeScheme } from '../../src/config/scheme-files.ts';
import { toHex } from '../../src/bytes/bytes.ts';
import { TripleDes } from '../../src/crypto/triple-des.ts';
import { parseServiceName, type ServiceName } from '../../src/units/names.ts';
import {
  formatServicePort,
  type IpAddress,
  parseServicePort,
  type ServicePort,
} from '../../src/units/network.ts';
import type { DurationMs, UnixMs } from '../../src/units/time.ts';
import { trailOf } from '../unit/sequence/schemes/trails.ts';
import { bytes, readVectors } from './vector-file.ts';

for (const { name, ...vector } of readVectors('schemes')) {
  const source = { file: '/srv/schemes/door.toml', code: 'config', content: 'secret' } as const;
  const scheme = decodeScheme(vector.scheme, source);

  test(name, (t) => {
    const { packets, source: from } = vector;
    const listening = scheme.listen({
      serviceOf: (port) => holderOf(port, vector.services),
      latestOf: () => vector.latest ?? null,
    });
    const verdict = listening.judge(trailOf(packets, { source: from }), 0 as UnixMs);
    const { used = [], port, ...asked } = verdict ?? {};
    if (vector.expect === null) {
      t.is(verdict, null);
      return;
    }
    t.deepEqual({ ...asked, ...(port && { port: formatServicePort(port) }) } as unknown, {
      ...vector.expect,
      peer: 'alice',
    });
    t.true(used.length > 0 && used.length <= packets.length);
  });

  if (vector.call !== null) {
    const { action, port, address, lifetimeMs, number } = vector.call;
    test(`${name}: what a client sends`, (t) => {
      const hits = scheme.hits({
        action,
        ...(port !== undefined && { port: parseServicePort(port) }),
        ...(address !== undefined && { address: address as IpAddress }),
        ...(lifetimeMs !== undefined && { lifetimeMs: lifetimeMs as DurationMs }),
        ...(number !== undefined && { number }),
      });
      t.deepEqual(
        hits.map((hit) => `${hit.protocol}/${String(hit.port)}`),
        vector.packets,
      );
    });
  }
}

test('Triple DES is that of the example in NIST SP 800-67', (t) => {
  const cipher = new TripleDes(bytes('0123456789abcdef23456789abcdef01456789abcdef0123'));
  t.is(toHex(cipher.encrypt(new TextEncoder().encode('The qufc'))), 'a826fd8ce53b855f');
  t.is(new TextDecoder().decode(cipher.decrypt(bytes('a826fd8ce53b855f'))), 'The qufc');
});

function holderOf(
  port: ServicePort,
  services: Readonly<Record<string, string>>,
): ServiceName | null {
  const [name] = Object.entries(services).find(([, its]) => its === formatServicePort(port)) ?? [];
  return name === undefined ? null : parseServiceName(name);
}
