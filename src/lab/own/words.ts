import { findNode, type TomlNode } from '../../store/toml/tree.ts';
import { formatPath } from '../../store/toml/trouble.ts';
import { renderValue, type Setting } from './settings.ts';
import type { Mode, Way } from './ways.ts';

/** As many names as are read; of more it is told how many. */
const MAX_NAMES = 4;

const titles: Readonly<Record<Mode, string>> = {
  handshake: 'handshake',
  certificate: 'handshake with a certificate',
  sknock: "sKnock's packet",
  fwknop: "fwknop's packet",
  silent: 'silent',
  totp: 'TOTP sequence',
  scheme: 'scheme',
};

/** `handshake, admission "once"` */
export function wayTitle({ mode, scheme, kind, admission }: Way): string {
  if (mode === 'silent') {
    return admission === 'gate' ? 'silent, through the gate' : 'silent, to the service';
  }
  return `${modeTitle({ mode, scheme, kind })}, admission "${admission}"`;
}

/** `scheme "door" (fixed)` */
export function modeTitle({ mode, scheme, kind }: Pick<Way, 'mode' | 'scheme' | 'kind'>): string {
  return scheme === null ? titles[mode] : `${titles[mode]} "${scheme}" (${kind ?? ''})`;
}

/** `ssh for alice, bob` */
export function whoseTitle(ways: readonly Way[]): string {
  const holders = 'whoever has a certificate';
  const services = listed(ways.map(({ service }) => service));
  return `${services} for ${listed(ways.map(({ peer }) => peer?.name ?? holders))}`;
}

/** How a setting is written, and where: `admission = "gate" in [services.ssh], line 12`. */
export function settingText({ path, value }: Setting, root: TomlNode): string {
  const { table, key, line, isThere } = placeOf({ path }, root);
  const written = `${key} = ${renderValue(value ?? '')}`;
  const where = table === '' ? '' : ` in [${table}]`;
  if (isThere) return `${written}${where}, line ${String(line)}`;
  return line === null
    ? `${written}${where}, a new table`
    : `${written}${where}, a new line below line ${String(line)}`;
}

/** Where a setting stands, or would. */
export interface Place {
  readonly table: string;
  readonly key: string;
  /** Of the value, or else of its table; null when that is not there. */
  readonly line: number | null;
  readonly isThere: boolean;
}

export function placeOf({ path }: Pick<Setting, 'path'>, root: TomlNode): Place {
  const tablePath = path.slice(0, -1);
  const value = findNode(root, path);
  const table = findNode(root, tablePath);
  return {
    table: formatPath(tablePath),
    key: path.at(-1) ?? '',
    line: value.found ? value.node.line : table.found ? table.node.line : null,
    isThere: value.found,
  };
}

/** Names, each once. */
export function listed(names: readonly string[], separator = ', '): string {
  const all = [...new Set(names)];
  const more = all.length - MAX_NAMES;
  const shown = all.slice(0, MAX_NAMES).join(separator);
  return more > 0 ? `${shown} and ${String(more)} more` : shown;
}
