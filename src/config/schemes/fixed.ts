import {
  fixedHits,
  fixedPorts,
  FixedScheme,
  type FixedSettings,
} from '../../sequence/schemes/fixed.ts';
import { ttlField } from '../../store/peer-file.ts';
import { list, text } from '../../store/toml/fields.ts';
import type { Trouble } from '../../store/toml/trouble.ts';
import { parseServiceName } from '../../units/names.ts';
import { formatServicePort, parseServicePort, type ServicePort } from '../../units/network.ts';
import { MAX_KNOCKS } from '../../units/sequence-shape.ts';
import { parseTcpFlags } from '../../units/tcp-flags.ts';
import { durationFrom } from '../duration-field.ts';
import { schemeKind } from './kind.ts';

/** Fewer are met by chance: two by any scan of both ports. */
const MIN_FIXED_KNOCKS = 3;

const ports = list(
  text('a protocol and port such as "tcp/7000"', parseServicePort),
  'ports such as "tcp/7000"',
  [MIN_FIXED_KNOCKS, MAX_KNOCKS, 'repeats'],
);

/** The keys of fixed mapping (sequence-fixed.md, section 1). */
export const fixedKind = schemeKind(
  {
    service: text('the name of a service', parseServiceName),
    open: ports,
    close: ports.optional(),
    ban: ports.optional(),
    tcpflags: text('flags such as "syn,!ack"', parseTcpFlags).optional(),
    seq_timeout: durationFrom('1s', '5m').optional(),
    lifetime: ttlField.optional(),
    ban_time: durationFrom('1s', '24h').prefault('1h'),
  },
  {
    toSettings: (document): FixedSettings => ({
      service: document.service,
      open: document.open,
      close: document.close ?? null,
      ban: document.ban ?? null,
      seqTimeoutMs: document.seq_timeout ?? null,
      lifetimeMs: document.lifetime ?? null,
      banMs: document.ban_time,
      flags: document.tcpflags ?? null,
    }),
    troubles,
    watched: fixedPorts,
    listen: (settings, context) => new FixedScheme(settings, context),
    hits: fixedHits,
  },
);

// the shorter of two would count whenever the longer was meant
function troubles({ open, close, ban }: FixedSettings): readonly Trouble[] {
  const sequences = Object.entries({ open, close, ban }).flatMap(([key, value]) =>
    value === null ? [] : [{ key, text: asText(value) }],
  );
  return sequences
    .filter(({ key, text: own }) =>
      sequences.some((other) => other.key !== key && own.endsWith(other.text)),
    )
    .map(({ key }) => ({
      path: [key],
      expected: 'ports that do not end as another sequence does',
    }));
}

function asText(sequence: readonly ServicePort[]): string {
  return sequence.map((port) => ` ${formatServicePort(port)}`).join('');
}
