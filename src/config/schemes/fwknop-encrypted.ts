import {
  fwknopEncryptedHits,
  fwknopEncryptedPorts,
  FwknopEncryptedScheme,
  type FwknopEncryptedSettings,
  MAX_USER_LENGTH,
} from '../../sequence/schemes/fwknop-encrypted.ts';
import { parseKey } from '../../store/key-text.ts';
import { ttlField } from '../../store/peer-file.ts';
import { text, wholeNumber } from '../../store/toml/fields.ts';
import { schemeKind } from './kind.ts';

const KEY_LENGTH = 16;

/** The last at which 256 ports begin. */
const LAST_FIRST_PORT = 65_536 - 256;

/** The keys of fwknop's encrypted sequence (sequence-fwknop-encrypted.md, section 1). */
export const fwknopEncryptedKind = schemeKind(
  {
    key: text('16 bytes in base64url, 22 characters', (value) => parseKey(value, KEY_LENGTH)),
    user: text(
      `1 to ${String(MAX_USER_LENGTH)} printable ASCII characters without spaces`,
      (value) => (value.length <= MAX_USER_LENGTH && /^[!-~]+$/.test(value) ? value : null),
    ),
    first_port: wholeNumber(1, LAST_FIRST_PORT).default(61_000),
    lifetime: ttlField.optional(),
  },
  {
    toSettings: (document): FwknopEncryptedSettings => ({
      key: document.key,
      user: document.user,
      firstPort: document.first_port,
      lifetimeMs: document.lifetime ?? null,
    }),
    troubles: () => [],
    watched: fwknopEncryptedPorts,
    listen: (settings, context) => new FwknopEncryptedScheme(settings, context),
    hits: fwknopEncryptedHits,
  },
);
