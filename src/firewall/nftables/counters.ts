import { runOnce } from './once.ts';

/**
 * Named counters of a table. They are read and reset, and summed up here: for `list counters` nft 1.0.6 fetches every element of every set
 * first, whichever table they are in, which takes seconds where there are a hundred thousand. For `reset counters` it does not.
 */
export class KernelCounters<Name extends string> {
  readonly #table: string;
  readonly #names: readonly Name[];
  readonly #nft: readonly string[];
  #sums: Readonly<Record<Name, number>>;

  /** @param nft program and first arguments */
  constructor(table: string, names: readonly Name[], nft: readonly string[]) {
    this.#table = table;
    this.#names = names;
    this.#nft = nft;
    this.#sums = Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
  }

  /** Packets so far, those of tables that are gone included; null when the table or one of the counters is not there. */
  async read(): Promise<Readonly<Record<Name, number>> | null> {
    const [program = 'nft', ...first] = this.#nft;
    const reset = ['reset', 'counters', 'table', ...this.#table.split(' ')];
    const { stdout, cause } = await runOnce(program, [...first, ...reset]);
    const found = [...stdout.matchAll(/counter (\w+) \{\s+packets (\d+)/g)];
    const more = new Map(found.map(([, name = '', packets]) => [name, Number(packets)]));
    if (cause !== null || !this.#names.every((name) => more.has(name))) return null;
    this.#sums = Object.fromEntries(
      this.#names.map((name) => [name, this.#sums[name] + (more.get(name) ?? 0)]),
    ) as Record<Name, number>;
    return this.#sums;
  }
}
