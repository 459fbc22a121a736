const BAR_LENGTH = 30;

/** How far something is, on one line of a terminal; nothing where there is none. */
export class Progress {
  readonly #all: number;
  #done = 0;

  constructor(all: number) {
    this.#all = all;
    this.#draw('');
  }

  /** One more is done. */
  tell(last: string): void {
    this.#done++;
    this.#draw(last);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }

  #draw(last: string): void {
    if (!process.stderr.isTTY) return;
    const full = Math.round((BAR_LENGTH * this.#done) / this.#all);
    const bar = `${'#'.repeat(full)}${'.'.repeat(BAR_LENGTH - full)}`;
    process.stderr.write(
      `\r\u001b[K[${bar}] ${String(this.#done)}/${String(this.#all)} ${last}`.slice(0, 100),
    );
  }
}
