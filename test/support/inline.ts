/**
 * The command line that runs a function as a program of its own, with nothing to load: Node starts in a tenth of the time
 * that it takes with a TypeScript loader. The function sees nothing but its arguments and what it imports itself.
 */
export function inline<A extends readonly string[]>(
  program: (...args: A) => Promise<void>,
  ...args: A
): readonly string[] {
  const call = `(${String(program)})(...${JSON.stringify(args)})`;
  return [process.execPath, '--input-type=module', '--eval', call];
}
