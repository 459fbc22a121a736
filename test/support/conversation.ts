import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Machine } from './machine.ts';
import { until } from './netns.ts';
import { welcome } from './service.ts';

/** `hknock connect`, or another such program, with somebody at its standard input, who talks to the service. */
export class Conversation {
  readonly #child: ChildProcess;
  #heard = '';
  #complaint = '';
  #asked = 0;

  /** Begins one and waits for the service's greeting. @throws {Error} with what it wrote when it ends instead */
  static async begin(machine: Machine, ...args: readonly string[]): Promise<Conversation> {
    return Conversation.over(machine.start(machine.argv('connect', 'gate', ...args)));
  }

  /** The same with another program that joins its standard input and output to a connection. */
  static async over(child: ChildProcess): Promise<Conversation> {
    const conversation = new Conversation(child);
    await conversation.#hear(welcome);
    return conversation;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdin?.on('error', () => undefined); // it may end while we talk
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#heard += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#complaint += text));
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Says something and waits until the service has said it back. @throws {Error} when it does not */
  async say(text: string): Promise<void> {
    this.#child.stdin?.write(`${text}\n`);
    await this.#hear(text);
  }

  /** Says something; whether the service says it back. Where it is not expected to, a second is a hundred times what it takes. */
  async isAlive(deadlineMs = 20_000): Promise<boolean> {
    const text = `still there? ${String(++this.#asked)}`;
    this.#child.stdin?.write(`${text}\n`);
    return this.#hear(text, deadlineMs).then(
      () => true,
      () => false,
    );
  }

  /** Hangs up, and gives the exit code. */
  async end(): Promise<number | null> {
    const closed = once(this.#child, 'close');
    this.#child.stdin?.end();
    await closed;
    return this.#child.exitCode;
  }

  async #hear(text: string, deadlineMs = 20_000): Promise<void> {
    const isHeard = (): boolean => {
      if (this.#heard.includes(text)) return true;
      if (this.hasEnded) throw new Error(`the connection ended: ${this.#complaint}`);
      return false;
    };
    await until(isHeard, `'${text}' from the service`, deadlineMs);
  }
}
