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
import { soakReport } from './soak-report.ts';
import { soak, type Soaked } from './soak.ts';

/** A recorded Response counts for ten seconds: a flood of it lasts no longer. */
const ROUND_MS = 8000;

const results = new URL('../results/', import.meta.url);

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    kinds: { type: 'string', default: Object.keys(kinds).join(',') },
    only: { type: 'string', default: systemNames.join(',') },
    knocks: { type: 'string' },
    rate: { type: 'string' },
    soak: { type: 'string' },
  },
});

if (!namespaces.available) throw new Error(`not measured: ${namespaces.reason}`);
const wanted = values.kinds.split(',').map(parseKind);
const perSecond = values.rate === undefined ? null : Number(values.rate);
await mkdir(results, { recursive: true });
await (values.soak === undefined ? bench() : soakFor(Number(values.soak)));

async function bench(): Promise<void> {
  const measured: Measured[] = [];
  const options = {
    seconds: Number(values.seconds),
    kinds: wanted,
    systems: values.only.split(',').map(parseSystem),
    knocks: values.knocks === undefined ? null : Number(values.knocks),
    perSecond,
    warm: true,
  };
  const versions = await floodBench(options, (each) => {
    measured.push(each);
    const { succeeded, tried } = each.legitimate;
    say(`${each.system}, ${kinds[each.kind]}: ${String(succeeded)}/${String(tried)}`);
  });
  process.stdout.write(`${versions.join('; ')}\nsent by ${manner}\n\n${floodTable(measured)}\n`);
  await write('flood.json', `${JSON.stringify({ versions, sentBy: manner, measured }, null, 2)}\n`);
  await write('flood.svg', floodPlot(measured));
}

async function soakFor(minutes: number): Promise<void> {
  const soaked: Soaked[] = [];
  await soak({ kinds: wanted, minutes, perSecond, roundMs: ROUND_MS }, (each) => {
    soaked.push(each);
    say(JSON.stringify(each));
  });
  const { text, isWell } = soakReport(soaked, wanted.length);
  process.stdout.write(`${text}\n`);
  await write('soak.json', `${JSON.stringify(soaked, null, 2)}\n`);
  if (!isWell) process.exitCode = 1;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function write(name: string, text: string): Promise<void> {
  await writeFile(new URL(name, results), text);
  say(`written: ${fileURLToPath(new URL(name, results))}`);
}

function parseSystem(text: string): SystemName {
  const found = systemNames.find((each) => each === text);
  if (found !== undefined) return found;
  throw new RangeError(`'${text}' is none of ${systemNames.join(', ')}`);
}
