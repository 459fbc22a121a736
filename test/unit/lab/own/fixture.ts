import { decodeConfig } from '../../../../src/config/load.ts';
import type { OwnConfig } from '../../../../src/lab/own/own-folder.ts';
import { documentOf, type TomlTable } from '../../../../src/lab/own/settings.ts';
import type { PeerRecord } from '../../../../src/store/peer-file.ts';
import { parseToml } from '../../../../src/store/toml/document.ts';
import { parsePeerName, parseServiceName } from '../../../../src/units/names.ts';

/** A configuration as its text says, with these peers and schemes. */
export function own(
  text: string,
  peers: readonly PeerRecord[] = [peer('alice')],
  schemes: Readonly<Record<string, TomlTable>> = {},
): OwnConfig {
  return {
    config: decodeConfig(text, '/etc/hknock'),
    document: documentOf(parseToml(text, { file: 'hknock.toml', code: 'config' })),
    peers,
    schemes: new Map(Object.entries(schemes)),
  };
}

/** A peer for `ssh` whose secrets are all bytes of one kind. */
export function peer(name: string, more: Partial<PeerRecord> = {}): PeerRecord {
  return {
    name: parsePeerName(name),
    tag: new Uint8Array(8).fill(name.length),
    secret: new Uint8Array(32).fill(0x5e),
    totp: null,
    services: [parseServiceName('ssh')],
    admission: null,
    ttlMs: null,
    cutOnRevoke: null,
    ...more,
  };
}
