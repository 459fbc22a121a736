import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { HknockError } from '../errors/hknock-error.ts';
import type { Namespace } from './netns.ts';
import type { Orders, Word } from './orders.ts';

export interface HandOptions {
  readonly program: URL;
  readonly args?: readonly string[];
  /** Given what the program says without being asked. */
  readonly onReport?: (report: never) => void;
}

/** How a program is started that is to be told what to do. */
export const piping = {
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  serialization: 'advanced',
} satisfies SpawnOptions;

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (fault: Error) => void;
}

/** A program in a namespace that does what it is told, see orders.ts. It ends with the namespace. */
export class Hand<O extends Orders> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #orders = 0;

  /** Starts one, and waits until it is ready. @throws {HknockError} `host` when it ends instead */
  static async start<O extends Orders>(place: Namespace, options: HandOptions): Promise<Hand<O>> {
    const { program, args = [], onReport = () => undefined } = options;
    const argv = [process.execPath, ...process.execArgv, fileURLToPath(program), ...args];
    const child = place.spawn(argv, {
      ...piping,
      // each device that the router reads takes a thread for itself
      env: { ...process.env, UV_THREADPOOL_SIZE: '8' },
    });
    return Hand.of(child, onReport);
  }

  /** The same with a program that has been started with {@link piping}. */
  static async of<O extends Orders>(
    child: ChildProcess,
    onReport: (report: never) => void = () => undefined,
  ): Promise<Hand<O>> {
    const hand = new Hand<O>(child);
    await new Promise<void>((resolve, reject) => {
      child.on('message', (word: Word) => {
        if (word.kind === 'ready') resolve();
        else if (word.kind === 'report') onReport(word.report as never);
        else hand.#settle(word);
      });
      child.once('close', () => {
        const fault = new HknockError('host', `'${child.spawnargs.join(' ')}' has ended`);
        reject(fault);
        for (const { reject: refuse } of hand.#waiting.values()) refuse(fault);
      });
    });
    return hand;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Has something done, and gives what came of it. */
  ask<N extends keyof O & string>(
    name: N,
    argument: Parameters<O[N]>[0],
  ): Promise<Awaited<ReturnType<O[N]>>> {
    const id = ++this.#orders;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, name, argument }, (fault) => {
        if (fault !== null) reject(fault);
      });
    });
  }

  #settle(word: Exclude<Word, { kind: 'ready' | 'report' }>): void {
    const waiting = this.#waiting.get(word.id);
    this.#waiting.delete(word.id);
    if (word.kind === 'done') waiting?.resolve(word.result as never);
    else waiting?.reject(new HknockError('host', word.message));
  }
}
