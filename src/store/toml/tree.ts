import type { TomlPath } from './trouble.ts';

/** One value of a TOML text, and where it stands. */
export interface TomlNode {
  readonly kind: 'table' | 'list' | 'text' | 'number' | 'boolean' | 'date';
  /** Line of its key, of its element, or of the first header of its table; counted from 1. */
  readonly line: number;
  /** Where the value itself stands in the text: offsets of its first character and behind its last. */
  readonly range: readonly [number, number];
  /** The value of a leaf; null for tables, lists and dates. */
  readonly value: string | number | boolean | null;
  /** What a table or list holds, by key or place. */
  readonly children: Map<string | number, TomlNode>;
}

/** Where a value stands in a text. */
export type Place = Pick<TomlNode, 'line' | 'range'>;

/** A node that holds nothing yet. */
export function newNode(
  kind: TomlNode['kind'],
  place: Place,
  value: TomlNode['value'] = null,
): TomlNode {
  return { kind, ...place, value, children: new Map() };
}

/** The node at a path; when it is not there, the deepest one on the way to it, and `found` is false. */
export function findNode(root: TomlNode, path: TomlPath): { node: TomlNode; found: boolean } {
  let node = root;
  for (const key of path) {
    const child = node.children.get(key);
    if (child === undefined) return { node, found: false };
    node = child;
  }
  return { node, found: true };
}

/** The tree as plain values. Tables have no prototype, so no key can reach one; dates become `Date`s that nothing accepts. */
export function plainValue(node: TomlNode): unknown {
  if (node.kind === 'date') return new Date(0);
  if (node.kind === 'list') return [...node.children.values()].map(plainValue);
  if (node.kind !== 'table') return node.value;
  const table = Object.create(null) as Record<string, unknown>;
  for (const [key, child] of node.children) table[key] = plainValue(child);
  return table;
}
