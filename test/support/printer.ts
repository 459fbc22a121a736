import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { until } from './netns.ts';

const patientMs = 30_000;

/** A program, and all that it has printed. */
export class Printer {
  readonly child: ChildProcess;
  text = '';

  /** Waits until it is `ready`, and says so. */
  static async begin(program: ChildProcess): Promise<Printer> {
    const printer = new Printer(program);
    await printer.prints('ready');
    return printer;
  }

  private constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.text += text));
  }

  /** Waits for some text. @throws {Error} when it does not come */
  async prints(wanted: string): Promise<void> {
    await until(() => this.text.includes(wanted), `'${wanted}'`, patientMs);
  }

  async stop(): Promise<void> {
    const closed = once(this.child, 'close');
    this.child.kill();
    await closed;
  }
}
