/**
 * A bounded line of work that strangers may cause. Sources take turns; when there is no room, the oldest of the source that has most
 * in it goes: whoever floods loses his own, and one who comes once is not made to wait behind him.
 */
export class WaitingLine<T> {
  readonly #capacity: number;
  /** By source, that whose turn it is first. No list is empty. */
  readonly #bySource = new Map<string, T[]>();
  #size = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#size;
  }

  /** Puts an item at the end of its source's; gives what has to go for it, or null. */
  push(source: string, item: T): T | null {
    const own = this.#bySource.get(source);
    if (own === undefined) this.#bySource.set(source, [item]);
    else own.push(item);
    this.#size++;
    return this.#size > this.#capacity ? this.#takeFrom(this.#busiest()) : null;
  }

  /** Takes the oldest of the source whose turn it is; null when nothing waits. */
  shift(): T | null {
    for (const source of this.#bySource.keys()) {
      const item = this.#takeFrom(source);
      const rest = this.#bySource.get(source);
      // back to the end of the turns
      this.#bySource.delete(source);
      if (rest !== undefined) this.#bySource.set(source, rest);
      return item;
    }
    return null;
  }

  #takeFrom(source: string): T | null {
    const items = this.#bySource.get(source) ?? [];
    const item = items.shift();
    if (items.length === 0) this.#bySource.delete(source);
    if (item === undefined) return null;
    this.#size--;
    return item;
  }

  #busiest(): string {
    let most = 0;
    let busiest = '';
    for (const [source, { length }] of this.#bySource) {
      if (length <= most) continue;
      most = length;
      busiest = source;
    }
    return busiest;
  }
}
