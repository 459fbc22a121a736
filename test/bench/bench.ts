// npm run bench: the figures that the README gives, measured on the machine it runs on. Times are no tests: they are printed, and
// a figure that misses its target is marked, because another machine may be slower.
import { namespaces } from '../support/probe.ts';
import { leaks } from './gate-leaks.ts';
import { throughput } from './gate.ts';
import { grants } from './grants.ts';
import { knocks } from './knocks.ts';
import { mix } from './mix.ts';
import { openPorts } from './open-ports.ts';
import { overhead } from './overhead.ts';
import { packets } from './packets.ts';
import { memory, rates, workers } from './rates.ts';
import { saturated } from './saturated.ts';
import { sequences } from './sequences.ts';
import { silentRefill, silentScan } from './silent.ts';
import { manySources } from './sources.ts';
import { formatRows, type Row } from './table.ts';
import { tags } from './tags.ts';

const parts: readonly (readonly [
  title: string,
  measure: () => Promise<readonly Row[]>,
  net: boolean,
])[] = [
  ['Knocking through a NAT', knocks, true],
  ['What a knock adds', overhead, true],
  ['What one core deals with', rates, false],
  ['What a second thread adds', workers, false],
  ['Packets with certificates', packets, false],
  ['Packets of which one in a hundred is a knock', mix, false],
  ['Secrets while certificates are examined', saturated, false],
  ['Grants in the kernel', grants, true],
  ['Peers in the kernel', tags, true],
  ['Numbers of silent mode in the kernel', silentRefill, true],
  ['A scan of those numbers', silentScan, true],
  ['One port after the other', openPorts, true],
  ['Knocking by sequences, beside ten that scan', sequences, true],
  ['Scans from ever new sources', manySources, false],
  ['Memory under garbage', memory, false],
  ['Through the gate', throughput, false],
  ['Ten thousand through the gate', leaks, false],
];

for (const [title, measure, net] of parts) {
  process.stdout.write(`\n## ${title}\n\n`);
  const rows =
    net && !namespaces.available ? `not measured: ${namespaces.reason}` : await measure();
  process.stdout.write(`${typeof rows === 'string' ? rows : formatRows(rows)}\n`);
}
