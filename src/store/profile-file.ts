import { createPrivateFile, readPrivateFile } from './private-file.ts';
import type { Profile } from './profile.ts';
import { parseProfile, profileFields } from './profile-fields.ts';
import { parseToml } from './toml/document.ts';
import { reportTroubles } from './toml/report.ts';
import { plainValue } from './toml/tree.ts';

/**
 * Reads a profile that `hknock peer add --out` wrote.
 * @throws {HknockError} `bad-input` when it is missing or no profile, `config` when others have access to it
 */
export async function readProfileFile(path: string): Promise<Profile> {
  return decodeProfile(await readPrivateFile(path, { content: 'secret', code: 'bad-input' }), path);
}

/**
 * Writes a profile to a new file of mode 0600.
 * @throws {HknockError} `usage` when there is a file of that name, `host` when the system refuses
 */
export async function writeProfileFile(path: string, profile: Profile): Promise<void> {
  await createPrivateFile(path, encodeProfile(profile));
}

/**
 * Reads the text of a profile file.
 * @throws {HknockError} `bad-input` with every trouble's line and key, never with a secret
 */
export function decodeProfile(text: string, file: string): Profile {
  const source = { file, code: 'bad-input' } as const;
  const root = parseToml(text, source);
  return parseProfile(plainValue(root), (troubles) => reportTroubles(root, troubles, source));
}

/** The text of a profile file. */
export function encodeProfile(profile: Profile): string {
  const { services, ...fields } = profileFields(profile);
  return [
    `# hknock profile of the peer '${profile.peer}'. Keep it secret: whoever has it can knock as '${profile.peer}'.`,
    '# On the client: hknock import THIS_FILE',
    ...Object.entries(fields).map(([key, value]) => `${key} = ${toml(value)}`),
    '',
    '[services]',
    ...Object.entries(services).map(([name, ports]) => `${name} = ${toml(ports)}`),
    '',
  ].join('\n');
}

// no value of a profile has a character that JSON and TOML would write in different ways
function toml(value: string | number | readonly string[]): string {
  return Array.isArray(value) ? `[${value.map(toml).join(', ')}]` : JSON.stringify(value);
}
