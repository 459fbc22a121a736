import {
  DIGIT_PORTS,
  dynamicHits,
  DynamicScheme,
  type DynamicSettings,
} from '../../sequence/schemes/dynamic.ts';
import { ttlField } from '../../store/peer-file.ts';
import { choice, text, wholeNumber } from '../../store/toml/fields.ts';
import { schemeKind } from './kind.ts';
import { rangeOf } from './port-range.ts';

const digits = text('3 to 5 digits', (value) =>
  /^\d{3,5}$/.test(value) ? Array.from(value, Number) : null,
);

/** The keys of dynamic mapping (sequence-dynamic.md, section 1). */
export const dynamicKind = schemeKind(
  {
    protocol: choice(['tcp', 'udp']).default('tcp'),
    ports: rangeOf(DIGIT_PORTS),
    header: digits,
    footer: digits,
    digits: wholeNumber(4, 5).default(4),
    lifetime: ttlField.optional(),
  },
  {
    toSettings: ({ ports, lifetime, ...rest }): DynamicSettings => ({
      ...rest,
      ...ports,
      lifetimeMs: lifetime ?? null,
    }),
    troubles: () => [],
    watched: (settings) => [settings],
    listen: (settings, context) => new DynamicScheme(settings, context),
    hits: dynamicHits,
  },
);
