import type { Host } from './scheme.ts';

/** A connection of the client's. */
export class Line {
  readonly #host: Host;
  readonly #number: number;

  constructor(host: Host, number: number) {
    this.#host = host;
    this.#number = number;
  }

  say(text: string, forMs = 2000): Promise<boolean> {
    return this.#host.ask('say', { number: this.#number, text, forMs });
  }

  async hangUp(): Promise<void> {
    await this.#host.ask('hangUp', this.#number);
  }
}
