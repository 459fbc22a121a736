import { parseSignature } from '../../sequence/fingerprint.ts';
import type { Hit } from '../../sequence/scheme.ts';
import {
  fwknopSharedHits,
  fwknopSharedPorts,
  FwknopSharedScheme,
  type FwknopSharedSettings,
} from '../../sequence/schemes/fwknop-shared.ts';
import { ttlField } from '../../store/peer-file.ts';
import { list, text } from '../../store/toml/fields.ts';
import type { Trouble } from '../../store/toml/trouble.ts';
import { parseServiceName } from '../../units/names.ts';
import { parseServicePort } from '../../units/network.ts';
import { MAX_KNOCKS } from '../../units/sequence-shape.ts';
import { durationFrom } from '../duration-field.ts';
import { schemeKind } from './kind.ts';

/** Fewer are met by chance. */
const MIN_SHARED_KNOCKS = 3;

const MAX_SYSTEMS = 16;

/** Sixteen knocks as far apart as this take as long as a sequence may. */
const LONGEST_DELAY = '18s';

const knocks = list(
  text('"icmp", or a protocol and port such as "udp/6020"', (value): Hit =>
    value === 'icmp' ? { protocol: 'icmp', port: 0 } : parseServicePort(value),
  ),
  'knocks such as "tcp/50053", "udp/6020", "icmp"',
  [MIN_SHARED_KNOCKS, MAX_KNOCKS, 'repeats'],
);

/** The keys of fwknop's shared sequence (sequence-fwknop-shared.md, section 1). */
export const fwknopSharedKind = schemeKind(
  {
    service: text('the name of a service', parseServiceName),
    sequence: knocks,
    min_delay: durationFrom('1s', LONGEST_DELAY).optional(),
    max_delay: durationFrom('1s', LONGEST_DELAY).optional(),
    require_os: list(
      text('a signature such as "S4:64:1:60:M*,S,T,N,W0"', parseSignature),
      'signatures of SYNs',
      [1, MAX_SYSTEMS, 'repeats'],
    ).optional(),
    lifetime: ttlField.optional(),
  },
  {
    toSettings: (document): FwknopSharedSettings => ({
      service: document.service,
      sequence: document.sequence,
      minDelayMs: document.min_delay ?? null,
      maxDelayMs: document.max_delay ?? null,
      systems: document.require_os ?? null,
      lifetimeMs: document.lifetime ?? null,
    }),
    troubles,
    watched: fwknopSharedPorts,
    listen: (settings, context) => new FwknopSharedScheme(settings, context),
    hits: fwknopSharedHits,
  },
);

function troubles(settings: FwknopSharedSettings): readonly Trouble[] {
  const { sequence, minDelayMs, maxDelayMs, systems } = settings;
  const found: Trouble[] = [];
  if (minDelayMs !== null && maxDelayMs !== null && maxDelayMs <= minDelayMs) {
    found.push({ path: ['max_delay'], expected: "more than 'min_delay'" });
  }
  if (minDelayMs !== null && maxDelayMs === null) {
    found.push({ path: ['min_delay'], expected: "a 'max_delay' beside it" });
  }
  if (systems !== null && !sequence.some(({ protocol }) => protocol === 'tcp')) {
    found.push({ path: ['require_os'], expected: 'a TCP knock in the sequence' });
  }
  return found;
}
