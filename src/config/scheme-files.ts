import { basename, join } from 'node:path';
import { HknockError } from '../errors/hknock-error.ts';
import { readPrivateFile } from '../store/private-file.ts';
import { parseToml } from '../store/toml/document.ts';
import { reportTroubles, type Source } from '../store/toml/report.ts';
import { findNode } from '../store/toml/tree.ts';
import { covers } from '../sequence/scheme.ts';
import { dynamicKind } from './schemes/dynamic.ts';
import { encryptedKind } from './schemes/encrypted.ts';
import { fixedKind } from './schemes/fixed.ts';
import { fwknopSharedKind } from './schemes/fwknop-shared.ts';
import { oneTimeKind } from './schemes/one-time.ts';
import { fwknopEncryptedKind } from './schemes/fwknop-encrypted.ts';
import type { SchemeFile } from './schemes/kind.ts';
import { portsInUse } from './sequence.ts';
import type { ServerConfig } from './server-config.ts';

/** All kinds of schemes that a file can set up. */
const kinds = {
  fixed: fixedKind,
  dynamic: dynamicKind,
  encrypted: encryptedKind,
  'fwknop-encrypted': fwknopEncryptedKind,
  'fwknop-shared': fwknopSharedKind,
  'one-time': oneTimeKind,
} as const;

/** The file of a scheme in a server's folder. */
export function schemePath(directory: string, name: string): string {
  return join(directory, 'schemes', `${name}.toml`);
}

/**
 * Reads the files of the schemes that a server's configuration turns on.
 * @throws {HknockError} `config` when one is missing, wrong or open to others, or watches a port that is needed open
 */
export async function loadSchemes(config: ServerConfig): Promise<readonly SchemeFile[]> {
  return Promise.all(
    config.sequence.files.map(async (name) => {
      const file = schemePath(config.directory, name);
      const scheme = await readSchemeFile(file, { code: 'config' });
      refuseNeededPorts(scheme, config, file);
      return scheme;
    }),
  );
}

/**
 * Reads a scheme's file, which is the same for server and client.
 * @throws {HknockError} `config` when it is open to others; `code` with every trouble's line and key
 */
export async function readSchemeFile(
  file: string,
  { code }: Pick<Source, 'code'>,
): Promise<SchemeFile> {
  const missing = 'a scheme that is on needs its file (README, "Clients without hknock")';
  const content = await readPrivateFile(file, { content: 'secret', code, missing });
  return decodeScheme(content, { file, code, content: 'secret' });
}

/**
 * Reads the text of a scheme's file; the scheme is called as the file is.
 * @throws {HknockError} `source.code` with every trouble's line and key
 */
export function decodeScheme(content: string, source: Source): SchemeFile {
  const root = parseToml(content, source);
  const { node, found } = findNode(root, ['kind']);
  const kind = Object.keys(kinds).find((each) => found && each === node.value);
  if (kind === undefined) {
    const expected = `one of ${Object.keys(kinds)
      .map((each) => `"${each}"`)
      .join(', ')}`;
    return reportTroubles(root, [{ path: ['kind'], expected }], source);
  }
  const name = basename(source.file).replace(/\.toml$/, '');
  return kinds[kind as keyof typeof kinds](content, { name, kind }, source);
}

function refuseNeededPorts({ watched }: SchemeFile, config: ServerConfig, file: string): void {
  const needed = portsInUse(config).find((each) => watched.some((ports) => covers(ports, each)));
  if (needed === undefined) return;
  const { protocol, port, holder } = needed;
  throw new HknockError(
    'config',
    `${file}: it would shut ${protocol}/${String(port)}, which is in '${holder}'`,
    { hint: 'choose other ports for its knocks' },
  );
}
