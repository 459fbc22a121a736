import {
  oneTimeHits,
  oneTimePorts,
  OneTimeScheme,
  type OneTimeSettings,
} from '../../sequence/schemes/one-time.ts';
import { ttlField } from '../../store/peer-file.ts';
import { text, wholeNumber } from '../../store/toml/fields.ts';
import type { Trouble } from '../../store/toml/trouble.ts';
import { parseServiceName } from '../../units/names.ts';
import { isPort, parsePortRange, type Port } from '../../units/network.ts';
import { MAX_KNOCKS, MIN_KNOCKS } from '../../units/sequence-shape.ts';
import { durationFrom } from '../duration-field.ts';
import { schemeKind } from './kind.ts';

/** Most sequences in a file, which is read whole. */
const MAX_SEQUENCES = 10_000;

/** The keys of a file of sequences for one use each (sequence-one-time.md, section 1). */
export const oneTimeKind = schemeKind(
  {
    service: text('the name of a service', parseServiceName),
    ports: text('two ports such as "10000-10099"', parsePortRange),
    sequences: text('lines of ports with commas between them, all of one length', parseSequences),
    number_port: wholeNumber(1, 65_535).optional(),
    lockout: durationFrom('1s', '24h').prefault('60s'),
    lifetime: ttlField.optional(),
  },
  {
    toSettings: (document): OneTimeSettings => ({
      service: document.service,
      ports: document.ports,
      sequences: document.sequences,
      numberPort: (document.number_port ?? null) as Port | null,
      lockMs: document.lockout,
      lifetimeMs: document.lifetime ?? null,
    }),
    troubles,
    watched: oneTimePorts,
    numberPort: ({ numberPort }) => numberPort,
    listen: (settings, context) => new OneTimeScheme(settings, context),
    hits: oneTimeHits,
  },
);

function parseSequences(value: string): readonly (readonly Port[])[] | null {
  const lines = value.trim().split('\n');
  const sequences = lines.map((line) => line.split(',').map(Number));
  const length = sequences[0]?.length ?? 0;
  const isSound =
    length >= MIN_KNOCKS &&
    length <= MAX_KNOCKS &&
    lines.length <= MAX_SEQUENCES &&
    lines.every((line) => /^[1-9]\d{0,4}(,[1-9]\d{0,4})*$/.test(line)) &&
    sequences.every((ports) => ports.length === length && ports.every(isPort));
  return isSound ? (sequences as unknown as readonly (readonly Port[])[]) : null;
}

function troubles({ ports, sequences, numberPort }: OneTimeSettings): readonly Trouble[] {
  const isWithin = (port: number): boolean => port >= ports.first && port <= ports.last;
  const found: Trouble[] = [];
  if (!sequences.flat().every(isWithin)) {
    found.push({ path: ['sequences'], expected: "ports of the range in 'ports'" });
  }
  if (numberPort !== null && isWithin(numberPort)) {
    found.push({ path: ['number_port'], expected: "a port outside the range in 'ports'" });
  }
  return found;
}
