import type { TomlNode } from '../../store/toml/tree.ts';
import { plainValue } from '../../store/toml/tree.ts';

/** What can stand in `hknock.toml`. */
export type TomlValue = string | number | boolean | readonly TomlValue[] | TomlTable;

export interface TomlTable {
  readonly [key: string]: TomlValue;
}

/** A value by the keys that lead to it; null takes it away. */
export interface Setting {
  readonly path: readonly [string, ...string[]];
  readonly value: TomlValue | null;
}

/** A document that a schema has found right. */
export function documentOf(root: TomlNode): TomlTable {
  return plainValue(root) as TomlTable;
}

/** The text under a key; empty where there is none. */
export function textAt(table: TomlTable, key: string): string {
  const value = table[key];
  return typeof value === 'string' ? value : '';
}

/** The same document with some values set; the later of two counts. */
export function withSettings(document: TomlTable, settings: readonly Setting[]): TomlTable {
  return settings.reduce((changed, { path, value }) => withValue(changed, path, value), document);
}

function withValue(
  table: TomlTable,
  [key, ...rest]: readonly [string, ...string[]],
  value: TomlValue | null,
): TomlTable {
  const { [key]: old, ...others } = table;
  const [next, ...further] = rest;
  if (next === undefined) return value === null ? others : { ...others, [key]: value };
  const inner = withValue(isTable(old) ? old : {}, [next, ...further], value);
  return { ...others, [key]: inner };
}

/** A TOML text that says the same. */
export function renderToml(document: TomlTable): string {
  return Object.entries(document)
    .map(([key, value]) => `${renderText(key)} = ${renderValue(value)}\n`)
    .join('');
}

/** As it stands behind the equals sign. */
export function renderValue(value: TomlValue): string {
  if (typeof value === 'string') return renderText(value);
  if (typeof value !== 'object') return String(value);
  if (!isTable(value)) return `[${value.map(renderValue).join(', ')}]`;
  const pairs = Object.entries(value).map(
    ([key, each]) => `${renderText(key)} = ${renderValue(each)}`,
  );
  return `{ ${pairs.join(', ')} }`;
}

// the escapes of JSON are TOML's too; but TOML wants one more (TOML 1.0, "String")
function renderText(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', String.raw`\u007f`);
}

function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value);
}
