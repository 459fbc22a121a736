import type { z } from 'zod';
import { hmacTypes } from '../units/hmac-type.ts';
import {
  formatFwknopKey,
  type FwknopKeys,
  MAX_FWKNOP_HMAC_KEY_LENGTH,
  MAX_FWKNOP_KEY_LENGTH,
  parseFwknopKey,
} from './fwknop-key-text.ts';
import { choice, list, text } from './toml/fields.ts';
import type { Trouble } from './toml/trouble.ts';

/** What is wrong with a key, to complete "expected …". */
const expected = (max: number): string =>
  `"base64:KEY" or "passphrase:TEXT" of 1 to ${String(max)} bytes`;

const key = (max: number) => text(expected(max), (value) => parseFwknopKey(value, max)).optional();

/** The fields of a peer's file. */
export const fwknopFields = {
  fwknop_key: key(MAX_FWKNOP_KEY_LENGTH),
  fwknop_hmac_key: key(MAX_FWKNOP_HMAC_KEY_LENGTH),
  fwknop_hmac: choice(hmacTypes).optional(),
  fwknop_commands: list(
    text('the name of a command', (name) => (/^[a-z0-9][a-z0-9-]{0,31}$/.test(name) ? name : null)),
    'names of commands',
    [0, 64],
  ).optional(),
};

type Fields = z.infer<z.ZodObject<typeof fwknopFields>>;

/** A key without the other: without an HMAC no packet is accepted. */
export function fwknopTroubles(fields: Fields): readonly Trouble[] {
  const { fwknop_key: cipherKey, fwknop_hmac_key: hmacKey, fwknop_hmac: type } = fields;
  if (cipherKey === undefined && hmacKey === undefined && type === undefined) return [];
  return [
    ...(cipherKey === undefined
      ? [{ path: ['fwknop_key'], expected: expected(MAX_FWKNOP_KEY_LENGTH) }]
      : []),
    ...(hmacKey === undefined
      ? [{ path: ['fwknop_hmac_key'], expected: expected(MAX_FWKNOP_HMAC_KEY_LENGTH) }]
      : []),
  ];
}

/** The keys that stand in a peer's file, if any do, and what it may run. */
export function fwknopOf(fields: Fields): {
  readonly fwknop?: FwknopKeys;
  readonly fwknopCommands?: readonly string[];
} {
  const { fwknop_key: cipherKey, fwknop_hmac_key: hmacKey, fwknop_hmac: type } = fields;
  if (cipherKey === undefined || hmacKey === undefined) return {};
  const { fwknop_commands: commands = [] } = fields;
  const may = commands.length > 0 && { fwknopCommands: commands };
  return { fwknop: { key: cipherKey, hmacKey, hmacType: type ?? 'sha256' }, ...may };
}

/** The lines of a peer's file. */
export function encodeFwknopKeys(
  { key: cipherKey, hmacKey, hmacType }: FwknopKeys,
  commands: readonly string[] = [],
): string {
  return `
# What it knocks with as a client of fwknop.
fwknop_key = "${formatFwknopKey(cipherKey)}"
fwknop_hmac_key = "${formatFwknopKey(hmacKey)}"
fwknop_hmac = "${hmacType}"
# Which of [fwknop.commands] in hknock.toml its packets may have run.
fwknop_commands = [${commands.map((name) => `"${name}"`).join(', ')}]
`;
}
