import { type ErrorCode, HknockError } from '../../errors/hknock-error.ts';
import { findNode, type TomlNode } from './tree.ts';
import { formatPath, type Trouble, unknownKey } from './trouble.ts';

/** The file that a document came from, and the code its faults have. */
export interface Source {
  readonly file: string;
  readonly code: ErrorCode;
  /** With `secret` no value of it is ever shown. */
  readonly content?: 'secret';
}

/** Values of keys with these names are never shown. */
const secretKeys = new Set([
  'secret',
  'tag',
  'totp',
  'sequence',
  'fwknop',
  'fwknop_key',
  'fwknop_hmac_key',
]);

const MAX_SHOWN = 10;

/**
 * Tells a person everything that is wrong with a file, in the order of its lines, as `FILE:LINE: key: …`.
 * @throws {HknockError} `source.code`, always
 */
export function reportTroubles(
  root: TomlNode,
  troubles: readonly Trouble[],
  source: Source,
): never {
  const told = troubles
    .map((trouble) => describe(root, trouble, source))
    .sort((a, b) => a.line - b.line)
    .map(({ line, sentence }) => `${source.file}:${String(line)}: ${sentence}`);
  const lines = [...new Set(told)];
  const more = lines.length - MAX_SHOWN;
  const shown = lines.slice(0, MAX_SHOWN);
  if (more > 0) shown.push(`${source.file}: and ${String(more)} more`);
  throw new HknockError(source.code, shown.join('\n'));
}

function describe(
  root: TomlNode,
  trouble: Trouble,
  { content }: Source,
): { line: number; sentence: string } {
  if ('sentence' in trouble) return trouble;
  const { path } = trouble;
  const { node, found } = findNode(root, path);
  const key = path.length === 0 ? '' : `${formatPath(path)}: `;
  return {
    line: node.line,
    sentence:
      key +
      whatIsWrong(
        trouble,
        found ? show(node, { path, isSecret: content === 'secret' }) : 'nothing',
      ),
  };
}

function whatIsWrong(trouble: Exclude<Trouble, { sentence: string }>, got: string): string {
  if ('known' in trouble) return unknownKey(String(trouble.path.at(-1)), trouble.known);
  if ('name' in trouble) return `expected ${trouble.name} as its key`;
  return `expected ${trouble.expected}, got ${got}`;
}

function show(
  { kind, value }: TomlNode,
  { path, isSecret }: { readonly path: Trouble['path']; readonly isSecret: boolean },
): string {
  if (value === null) return `a ${kind}`;
  if (isSecret || path.some((key) => secretKeys.has(String(key)))) {
    return typeof value === 'string' ? `text of ${String(value.length)} characters` : `a ${kind}`;
  }
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
