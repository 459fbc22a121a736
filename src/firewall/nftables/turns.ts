/** Work that waits for its turn. */
type Turn<Item> =
  | { readonly kind: 'item'; readonly item: Item }
  | { readonly kind: 'alone'; readonly run: () => Promise<void> };

/**
 * Runs one thing at a time, in the order of the calls. Items that wait next to each other, such as all of one turn
 * of the event loop, run together.
 */
export class Turns<Item> {
  readonly #runTogether: (items: readonly Item[]) => Promise<void>;
  readonly #waiting: Turn<Item>[] = [];
  #running = false;

  /** @param runTogether must not reject */
  constructor(runTogether: (items: readonly Item[]) => Promise<void>) {
    this.#runTogether = runTogether;
  }

  get isIdle(): boolean {
    return !this.#running;
  }

  add(item: Item): void {
    this.#push({ kind: 'item', item });
  }

  /** Resolves or rejects as `run` does. */
  alone<T>(run: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#push({ kind: 'alone', run: () => run().then(resolve, reject) });
    });
  }

  #push(turn: Turn<Item>): void {
    this.#waiting.push(turn);
    if (this.#running) return;
    this.#running = true;
    // after the datagrams that this turn of the event loop has brought
    setImmediate(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (next.kind === 'alone') {
        this.#waiting.shift();
        await next.run();
      } else {
        await this.#runTogether(this.#takeItems());
      }
    }
    this.#running = false;
  }

  #takeItems(): readonly Item[] {
    const end = this.#waiting.findIndex(({ kind }) => kind !== 'item');
    const taken = this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
    return taken.flatMap((turn) => (turn.kind === 'item' ? [turn.item] : []));
  }
}
