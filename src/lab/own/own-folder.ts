import { basename } from 'node:path';
import { configPath, decodeConfig, readConfigText } from '../../config/load.ts';
import { schemePath } from '../../config/scheme-files.ts';
import { loadServerFolder, type ServerFolder } from '../../config/server-folder.ts';
import type { ServerConfig } from '../../config/server-config.ts';
import type { Firewall } from '../../host/firewall.ts';
import { readMaterial } from '../../server/certificates.ts';
import { createFirewall } from '../../server/firewall.ts';
import { withGate } from '../../server/gate/with-gate.ts';
import { createLog } from '../../server/log.ts';
import { requireSound } from '../../server/sound-folder.ts';
import { readPrivateFile } from '../../store/private-file.ts';
import { parseToml } from '../../store/toml/document.ts';
import type { TomlNode } from '../../store/toml/tree.ts';
import { createSystemClock } from '../../system/clock.ts';
import { documentOf, renderToml, type Setting, type TomlTable, withSettings } from './settings.ts';

/** A configuration, as values and as what a server makes of them. */
export interface OwnConfig extends Pick<ServerFolder, 'peers'> {
  readonly config: ServerConfig;
  readonly document: TomlTable;
  /** The files of schemes that are on, by name. */
  readonly schemes: ReadonlyMap<string, TomlTable>;
}

/** An operator's own configuration, and where in its file each value stands. */
export interface OwnFolder extends OwnConfig {
  readonly file: string;
  readonly root: TomlNode;
}

/**
 * Reads a server's folder as `hknock serve` does; nothing in it is changed, and no command of it is run.
 * @throws {HknockError} `config` whatever `hknock serve` would refuse
 */
export async function readOwnFolder(directory: string): Promise<OwnFolder> {
  const folder = await loadServerFolder(directory);
  const { config, peers } = folder;
  requireSound(folder, enforcing(config));
  if (config.certificates !== null) await readMaterial(config.certificates);
  const file = configPath(directory);
  const root = parseToml(await readConfigText(directory), { file, code: 'config' });
  const schemes = await Promise.all(config.sequence.files.map((name) => readScheme(config, name)));
  return { file, root, document: documentOf(root), config, peers, schemes: new Map(schemes) };
}

/**
 * The same with some settings changed.
 * @throws {HknockError} `config` when it would be refused then
 */
export function changeConfig(own: OwnConfig, settings: readonly Setting[]): OwnConfig {
  const document = withSettings(own.document, settings);
  const config = decodeConfig(renderToml(document), own.config.directory);
  requireSound({ ...own, config, responderId: new Uint8Array(), schemes: [] }, enforcing(config));
  return { ...own, document, config };
}

/** What the firewall of a configuration can keep to. It is not started. */
export function enforcing(config: ServerConfig): Firewall {
  const clock = createSystemClock();
  const host = { clock, log: createLog({ clock, level: 'error', write: () => undefined }) };
  return withGate(createFirewall(config, host), config, host).firewall;
}

async function readScheme(
  { directory }: ServerConfig,
  name: string,
): Promise<readonly [string, TomlTable]> {
  const file = schemePath(directory, name);
  const source = { file: basename(file), code: 'config', content: 'secret' } as const;
  const text = await readPrivateFile(file, { content: 'secret' });
  return [name, documentOf(parseToml(text, source))];
}
