/** Where a value stands in a document: keys, and places in lists counted from 0. */
export type TomlPath = readonly (string | number)[];

/** One thing wrong with a document. */
export type Trouble =
  /** the value at `path` (or its absence) is not what it should be */
  | { readonly path: TomlPath; readonly expected: string }
  /** the last key of `path` is no name that may stand there */
  | { readonly path: TomlPath; readonly name: string }
  /** nobody knows the last key of `path` */
  | { readonly path: TomlPath; readonly known: readonly string[] }
  /** anything else, said in full */
  | { readonly path: TomlPath; readonly line: number; readonly sentence: string };

/** `services.ssh.ports[0]` */
export function formatPath(path: TomlPath): string {
  return path
    .map((key, at) => {
      if (typeof key === 'number') return `[${String(key)}]`;
      const name = /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key.slice(0, 64));
      return at === 0 ? name : `.${name}`;
    })
    .join('');
}

/** What is said about a key that nobody knows: the one that was probably meant, or all there are. */
export function unknownKey(key: string, known: readonly string[]): string {
  const near = known
    .map((name) => ({ name, distance: editDistance(key, name) }))
    .filter(({ name, distance }) => distance <= (name.length > 3 ? 2 : 1))
    .sort((a, b) => a.distance - b.distance)[0];
  return near === undefined
    ? `unknown key, expected one of: ${known.join(', ')}`
    : `unknown key, did you mean '${near.name}'?`;
}

// Levenshtein, row by row; a key longer than any of ours is no near miss of one
function editDistance(from: string, to: string): number {
  if (from.length > 64) return Infinity;
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const swap = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? Infinity;
}
