/** Commands in one line. nft repeats the whole line with each fault in it, so it must not be too long. */
const MAX_COMMANDS = 256;

interface Change {
  readonly commands: readonly string[];
}

/** The changes in groups that make one line each; no change is spread over two. */
export function inLines<C extends Change>(changes: readonly C[]): readonly (readonly C[])[] {
  const lines: C[][] = [];
  let room = 0;
  for (const change of changes) {
    if (change.commands.length > room) {
      lines.push([]);
      room = MAX_COMMANDS;
    }
    lines.at(-1)?.push(change);
    room -= change.commands.length;
  }
  return lines;
}
