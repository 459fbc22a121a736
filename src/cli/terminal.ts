/** Prints a result: the only thing that goes to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints a result as one line of JSON; byte arrays have no place in it. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Tells something beside the result, on standard error. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Columns padded to the widest cell, two spaces between them. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(columns?.[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Shows a spinner while something takes its time; on a terminal only. */
export async function withSpinner<T>(text: string, work: () => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return work();
  const { default: spinner } = await import('yocto-spinner');
  const shown = spinner({ text, stream: process.stderr }).start();
  try {
    return await work();
  } finally {
    shown.stop();
  }
}
