import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';
import { reportTroubles, type Source } from './report.ts';
import { newNode, type Place, type TomlNode } from './tree.ts';
import type { TomlPath, Trouble } from './trouble.ts';

/** Deepest nesting that is read: ours is 4, and recursion on a hostile file must end. */
const MAX_DEPTH = 16;

/**
 * Reads TOML 1.0 into a tree that knows its lines. It builds its own tree since the parser's `getStaticTOMLValue`
 * writes to `Object.prototype` on a key named `__proto__`.
 * @throws {HknockError} `source.code` with the line of what is no TOML
 */
export function parseToml(text: string, source: Source): TomlNode {
  const root = newNode('table', { line: 1, range: [0, text.length] });
  try {
    for (const item of parseTOML(text, { tomlVersion: '1.0' }).body[0].body) {
      if (item.type === 'TOMLTable') addTable(root, item);
      else addPair(root, item, 0);
    }
  } catch (error) {
    return reportTroubles(root, [syntaxTrouble(error)], source);
  }
  const forbidden = forbiddenKeys(root, []);
  return forbidden.length === 0 ? root : reportTroubles(root, forbidden, source);
}

// a schema for tables with any key would pass over this one in silence
function forbiddenKeys(node: TomlNode, path: TomlPath): readonly Trouble[] {
  return [...node.children].flatMap(([key, child]) =>
    key === '__proto__'
      ? [{ path: [...path, key], name: 'any other word' }]
      : forbiddenKeys(child, [...path, key]),
  );
}

function placeOf(node: AST.TOMLNode): Place {
  return { line: node.loc.start.line, range: node.range };
}

function addTable(root: TomlNode, table: AST.TOMLTable): void {
  const node = descend(root, table.resolvedKey, placeOf(table));
  for (const pair of table.body) addPair(node, pair, table.resolvedKey.length);
}

function addPair(table: TomlNode, pair: AST.TOMLKeyValue, depth: number): void {
  const path = pair.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value));
  const parent = descend(table, path.slice(0, -1), placeOf(pair));
  const line = pair.loc.start.line;
  parent.children.set(path.at(-1) ?? '', { ...contentNode(pair.value, depth + path.length), line });
}

// a number in a resolved key is the place of a table in an array of tables
function descend(from: TomlNode, path: TomlPath, place: Place): TomlNode {
  if (path.length > MAX_DEPTH) throw new RangeError();
  return path.reduce<TomlNode>((node, key, at) => {
    const kind = typeof path[at + 1] === 'number' ? 'list' : 'table';
    const child = node.children.get(key) ?? newNode(kind, place);
    node.children.set(key, child);
    return child;
  }, from);
}

function contentNode(content: AST.TOMLContentNode, depth: number): TomlNode {
  if (depth > MAX_DEPTH) throw new RangeError();
  if (content.type === 'TOMLInlineTable') {
    const table = newNode('table', placeOf(content));
    for (const pair of content.body) addPair(table, pair, depth);
    return table;
  }
  if (content.type === 'TOMLArray') {
    const list = newNode('list', placeOf(content));
    content.elements.forEach((item, at) => list.children.set(at, contentNode(item, depth + 1)));
    return list;
  }
  return leafNode(content);
}

function leafNode(content: AST.TOMLValue): TomlNode {
  const place = placeOf(content);
  switch (content.kind) {
    case 'string':
      return newNode('text', place, content.value);
    case 'integer':
    case 'float':
      return newNode('number', place, content.value);
    case 'boolean':
      return newNode('boolean', place, content.value);
    default:
      return newNode('date', place);
  }
}

// the parser's messages are fixed sentences that quote nothing of the text but control characters
function syntaxTrouble(error: unknown): Trouble {
  if (error instanceof ParseError) {
    return { path: [], line: error.lineNumber, sentence: `not TOML: ${error.message}` };
  }
  if (error instanceof RangeError) {
    return { path: [], line: 1, sentence: `nested deeper than ${String(MAX_DEPTH)} levels` };
  }
  throw error;
}
