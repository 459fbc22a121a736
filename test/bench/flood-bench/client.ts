import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Machine } from '../../support/machine.ts';
import { readTypeScript } from '../../support/typescript.ts';

/** A client's program that stays and does what it is told, so that no start of Node is timed. */
export class Client<Order extends object | string, Answer> {
  readonly #child: ChildProcess;
  readonly #gone: Promise<never>;

  /** Starts a program of this folder, which says something when it is ready. */
  static async start<Order extends object | string, Answer>(
    machine: Machine,
    program: string,
    ...args: readonly string[]
  ): Promise<Client<Order, Answer>> {
    const path = fileURLToPath(new URL(program, import.meta.url));
    const child = machine.start([process.execPath, ...readTypeScript, path, ...args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const client = new Client<Order, Answer>(child);
    await client.#hear();
    return client;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#gone = once(child, 'exit').then(() => {
      throw new Error("a client's program has ended");
    });
    this.#gone.catch(() => undefined); // told to whoever waits
  }

  /** One order at a time. */
  async do(order: Order): Promise<Answer> {
    const heard = this.#hear();
    this.#child.send(order);
    return heard;
  }

  async #hear(): Promise<Answer> {
    const [answer] = (await Promise.race([once(this.#child, 'message'), this.#gone])) as [Answer];
    return answer;
  }
}
