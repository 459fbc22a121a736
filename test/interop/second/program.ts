import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** What a knock is proved with. */
export type Proof = 'secret' | 'certificate';

// Debian's own python3 finds Debian's python3-cryptography, another that comes first in PATH may not
const programs = {
  secret: ['python3', '-B', pathOf('hknock_second.py')],
  certificate: ['/usr/bin/python3', '-B', pathOf('certificate.py')],
  connections: ['python3', '-B', pathOf('connections.py')],
  sequence: ['python3', '-B', pathOf('sequence.py')],
} as const;

/** The command line of a program of the second implementation. */
export function secondArgv(
  program: keyof typeof programs,
  ...args: readonly string[]
): readonly [string, ...string[]] {
  return [...programs[program], ...args];
}

/** The second implementation as it runs, which is told things and tells things a line at a time. */
export class Second {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** @param child with pipes for standard input and output; killed by its owner */
  constructor(child: ChildProcess) {
    if (child.stdout === null) throw new Error('the second implementation needs a pipe');
    this.child = child;
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  /** What it says next. */
  async next(): Promise<unknown> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error('the second implementation ended without a word');
    return JSON.parse(line.value);
  }

  /** Tells it something, and waits for what it says to that. */
  async tell(line: string): Promise<unknown> {
    this.child.stdin?.write(`${line}\n`);
    return this.next();
  }

  /** Closes its standard input and waits for its exit code. */
  async end(): Promise<number | null> {
    this.child.stdin?.end();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      await once(this.child, 'exit');
    }
    return this.child.exitCode;
  }
}
