import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { HknockError } from '../../errors/hknock-error.ts';
import type { Clock } from '../../host/clock.ts';
import type { Log } from '../../host/log.ts';
import { toolEnvironment } from './environment.ts';
import { denied, type Fault, parseFault } from './faults.ts';

/** The longest that one line may take. A thousand elements take a tenth of a second. */
const ANSWER_LIMIT_MS = 5000;

/**
 * nft remembers every line as history and looks through all of it at the next one: a line takes half as long again after
 * 2000, three times as long after 10,000. At this many the child makes way for a new one, which takes 4 ms to start.
 */
const LINES_PER_CHILD = 500;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Nft says one line to it and asks the kernel nothing. */
const MARKER = 'describe ip ttl';

interface Waiting {
  readonly resolve: (said: string) => void;
  readonly reject: (error: HknockError) => void;
}

export interface NftConsoleOptions {
  /** Program and first arguments, before `-i`. */
  readonly command: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Owns one long-lived `nft -i`, started when it is first needed and again when it has ended. Each line is one
 * transaction of the kernel; one at a time is waited for.
 */
export class NftConsole {
  readonly #options: NftConsoleOptions;
  #child: Child | null = null;
  #waiting: Waiting | null = null;
  #said = '';
  #lines = 0;
  /** Whether something was sent that nobody waits for: what nft says next may be about that. */
  #isAhead = false;

  constructor(options: NftConsoleOptions) {
    this.#options = options;
  }

  /** The process id of the child; null when none runs. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /**
   * Has the kernel take all commands or none.
   * @returns what nft has against them, or null when they are in force
   * @throws {HknockError} `host` when nft cannot be started, has ended or is silent: the commands may be in force or not
   */
  async run(commands: readonly string[]): Promise<Fault | null> {
    if (commands.length === 0) return null;
    const child = (this.#child ??= this.#start());
    const timer = this.#options.clock.after(ANSWER_LIMIT_MS, () => child.kill('SIGKILL'));
    try {
      const isAmbiguous = this.#isAhead;
      const fault = parseFault(await this.#ask(child, commands.join('; ')));
      return fault === null || !isAmbiguous ? fault : await this.run(commands);
    } finally {
      timer.cancel();
      if (this.#lines >= LINES_PER_CHILD) this.#renew();
    }
  }

  /**
   * Has nft take commands when nobody waits for it, and tells nobody what comes of them. Whatever is sent after them must
   * bear to be sent twice.
   */
  runAhead(commands: readonly string[]): void {
    if (commands.length === 0 || this.#child === null || this.#waiting !== null) return;
    this.#isAhead = true;
    this.#lines++;
    this.#child.stdin.write(`${commands.join('; ')}\n`);
  }

  /** Ends the child and waits for its end. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    const closed = new Promise((resolve) => child.once('close', resolve));
    const timer = this.#options.clock.after(ANSWER_LIMIT_MS, () => child.kill('SIGKILL'));
    child.stdin.end();
    await closed;
    timer.cancel();
  }

  /**
   * Success is silent. So a second line follows that nft always answers, after all that it says of the first. An error in
   * its place, for which we would need to read one stream only, would have nft forget all sets that it has read.
   */
  #ask(child: Child, line: string): Promise<string> {
    this.#lines++;
    this.#isAhead = false;
    return new Promise((resolve, reject) => {
      this.#said = '';
      this.#waiting = { resolve, reject };
      child.stdin.write(`${line}\n${MARKER}\n`);
    });
  }

  // now, so that the next line need not wait for it
  #renew(): void {
    this.#child?.stdin.end();
    this.#child = this.#start();
    this.#lines = 0;
  }

  #start(): Child {
    this.#isAhead = false;
    const [program = 'nft', ...args] = this.#options.command;
    const child = spawn(program, [...args, '-i'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: toolEnvironment(),
      // a Ctrl-C in our terminal is for us: the child must live until we have tidied up
      detached: true,
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (child === this.#child) this.#said += text;
    });
    let isMidLine = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      // nft writes its line in pieces, of which the first will do
      const isAnswer = !isMidLine || /\n./.test(text);
      isMidLine = !text.endsWith('\n');
      // errors were written before, but this turn of the event loop may bring them after
      if (isAnswer) {
        setImmediate(() => {
          this.#answer(child);
        });
      }
    });
    child.stdin.on('error', () => undefined); // 'close' tells of the same end
    child.once('error', (error) => {
      this.#ended(child, error);
    });
    child.once('close', (code, signal) => {
      this.#ended(child, `nft ended with ${signal ?? String(code)}: ${this.#said.trim()}`);
    });
    return child;
  }

  #answer(child: Child): void {
    if (child !== this.#child) return;
    this.#waiting?.resolve(this.#said);
    this.#waiting = null;
  }

  #ended(child: Child, cause: unknown): void {
    if (child !== this.#child) return;
    this.#child = null;
    const error = faultOfEnd(cause);
    this.#options.log.warn('nft ended', { fault: error.message, detail: String(cause) });
    this.#waiting?.reject(error);
    this.#waiting = null;
  }
}

/** Why an nft program cannot be used. */
export function faultOfEnd(cause: unknown): HknockError {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
    return new HknockError('host', 'there is no nft program', {
      hint: 'apt-get install nftables',
      cause,
    });
  }
  if (String(cause).includes('Operation not permitted')) return denied(cause);
  return new HknockError('host', 'the nft program ended', { cause });
}
