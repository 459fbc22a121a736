// npm run bench:flood: how legitimate knocks fare while somebody floods the server, with hknock's shield on and off and with fwknop.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { namespaces } from '../../support/probe.ts';
import { floodBench, type SystemName, systemNames } from './flood-bench.ts';
import { floodPlot } from './flood-plot.ts';
import { floodTable } from './flood-report.ts';
import { kinds, parseKind } from './kinds.ts';
import type { Measured } from './measure.ts';
import { manner } from './packet-socket.ts';

const results = new URL('../results/', import.meta.url);

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    kinds: { type: 'string', default: Object.keys(kinds).join(',') },
    only: { type: 'string', default: systemNames.join(',') },
    knocks: { type: 'string' },
    rate: { type: 'string' },
  },
});

if (!namespaces.available) throw new Error(`not measured: ${namespaces.reason}`);
const measured: Measured[] = [];
const versions = await floodBench(
  {
    seconds: Number(values.seconds),
    kinds: values.kinds.split(',').map(parseKind),
    systems: values.only.split(',').map(parseSystem),
    knocks: values.knocks === undefined ? null : Number(values.knocks),
    perSecond: values.rate === undefined ? null : Number(values.rate),
    warm: true,
  },
  (each) => {
    measured.push(each);
    const { succeeded, tried } = each.legitimate;
    process.stderr.write(
      `${each.system}, ${kinds[each.kind]}: ${String(succeeded)}/${String(tried)}\n`,
    );
  },
);
process.stdout.write(`${versions.join('; ')}\nsent by ${manner}\n\n${floodTable(measured)}\n`);
await mkdir(results, { recursive: true });
const json = JSON.stringify({ versions, sentBy: manner, measured }, null, 2);
await writeFile(new URL('flood.json', results), `${json}\n`);
await writeFile(new URL('flood.svg', results), floodPlot(measured));
process.stdout.write(`\nwritten to ${fileURLToPath(results)}\n`);

function parseSystem(text: string): SystemName {
  const found = systemNames.find((each) => each === text);
  if (found !== undefined) return found;
  throw new RangeError(`'${text}' is none of ${systemNames.join(', ')}`);
}
