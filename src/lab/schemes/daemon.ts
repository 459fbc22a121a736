import type { ChildProcess } from 'node:child_process';
import { HknockError } from '../../errors/hknock-error.ts';
import { until } from '../netns.ts';

const MAX_LOG = 1_000_000;

/** A program that goes on, and what it writes. It ends with its namespace. */
export class Daemon {
  readonly #child: ChildProcess;
  #log = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        if (this.#log.length < MAX_LOG) this.#log += text;
      });
    }
  }

  /** Waits until it has written something so many times. @throws {HknockError} `host` with all that it wrote when it ends instead */
  async writes(wanted: string, times = 1): Promise<void> {
    const isWritten = (): boolean => {
      if (this.#child.exitCode !== null) {
        throw new HknockError('host', `a daemon has ended: ${this.#log}`);
      }
      return this.count(wanted) >= times;
    };
    await until(isWritten, `'${wanted}' from a daemon`);
  }

  /** Has it end as it does when its host goes down in order. */
  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    const isOver = (): boolean => this.#child.exitCode !== null || this.#child.signalCode !== null;
    await until(isOver, 'a daemon to end');
  }

  count(text: string): number {
    return this.#log.split(text).length - 1;
  }

  /** Has it read its configuration again, and waits until it writes something so many more times. */
  async reload(wanted: string, times: number): Promise<void> {
    const before = this.count(wanted);
    this.#child.kill('SIGHUP');
    await this.writes(wanted, before + times);
  }
}
