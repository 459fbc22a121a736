import type { Door } from './host-program.ts';
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

/** Whether a host gets in by a door; it leaves at once. */
export async function enters(host: Host, door: Door): Promise<boolean> {
  const number = await host.ask('tryToEnter', door);
  if (number !== 0) await host.ask('hangUp', number);
  return number !== 0;
}
