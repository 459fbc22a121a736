import { TRIPLE_DES_KEY_LENGTH } from '../../bytes/key-lengths.ts';
import {
  BYTE_PORTS,
  encryptedHits,
  EncryptedScheme,
  type EncryptedSettings,
} from '../../sequence/schemes/encrypted.ts';
import { parseKey } from '../../store/key-text.ts';
import { choice, text } from '../../store/toml/fields.ts';
import { schemeKind } from './kind.ts';
import { rangeOf } from './port-range.ts';

/** The keys of encrypted mapping (sequence-encrypted.md, section 1). */
export const encryptedKind = schemeKind(
  {
    protocol: choice(['tcp', 'udp']).default('tcp'),
    ports: rangeOf(BYTE_PORTS),
    key: text('32 base64url characters', (value) => parseKey(value, TRIPLE_DES_KEY_LENGTH)),
  },
  {
    toSettings: ({ protocol, ports, key }): EncryptedSettings => ({ protocol, ...ports, key }),
    troubles: () => [],
    watched: (settings) => [settings],
    listen: (settings, context) => new EncryptedScheme(settings, context),
    hits: encryptedHits,
  },
);
