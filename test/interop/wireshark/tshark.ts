import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execute } from '../../support/netns.ts';

const script = fileURLToPath(new URL('../../../protocol-spec/hknock.lua', import.meta.url));

interface DissectOptions<F extends string> {
  readonly fields: readonly F[];
  /** Files with keys; none if not said. */
  readonly keys?: readonly string[];
  /** Ports of responders; the default one if not said. */
  readonly ports?: string;
}

/**
 * What tshark says of a capture with our script, a record for each of its packets; a field that a packet does not have is empty.
 */
export async function dissect<F extends string>(
  pcap: Buffer,
  { fields, keys = [], ports = '62202' }: DissectOptions<F>,
): Promise<readonly Record<F, string>[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hknock-tshark-'));
  const file = join(folder, 'capture.pcap');
  writeFileSync(file, pcap);
  const preferences = ['-o', `hknock.keys:${keys.join()}`, '-o', `hknock.ports:${ports}`];
  const ours = ['-X', `lua_script:${script}`, ...preferences];
  const wanted = ['-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
  try {
    // a home of its own: no preferences or scripts of whoever runs the tests
    const env = { HOME: folder };
    const { stdout, stderr } = await execute(['tshark', '-n', '-r', file, ...ours, ...wanted], {
      env,
    });
    if (stderr.includes('Lua')) throw new Error(stderr);
    const lines = stdout.split('\n').slice(0, -1);
    return lines.map((line) => recordOf(fields, line.split('\t')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function recordOf<F extends string>(
  fields: readonly F[],
  values: readonly string[],
): Record<F, string> {
  return Object.fromEntries(fields.map((field, i) => [field, values[i] ?? ''])) as Record<
    F,
    string
  >;
}
