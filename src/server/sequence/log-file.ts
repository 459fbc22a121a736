import { type FileHandle, open, stat } from 'node:fs/promises';
import { HknockError } from '../../errors/hknock-error.ts';
import { systemCode } from '../../errors/system-code.ts';
import type { Clock, Timer } from '../../host/clock.ts';
import type { Log } from '../../host/log.ts';
import { MAX_LINE_LENGTH, parseLogLine } from '../../sequence/capture/log-line.ts';
import type { PacketListener, PacketSource } from './source.ts';

/** How often the file is looked at; as long may a knock have to wait. */
const LOOK_EVERY_MS = 20;

/** Read at a time; what comes quicker waits in the file. */
const CHUNK_LENGTH = 65_536;

export interface LogFileOptions {
  readonly path: string;
  /** What the firewall's rule writes before `IN=`. */
  readonly prefix: string;
  readonly listener: PacketListener;
  readonly clock: Clock;
  readonly log: Log;
}

/** Follows a log as it grows, from its end when we begin, and also when it is rotated: renamed, or cut to nothing. */
export class LogFileSource implements PacketSource {
  /** Whatever was written is read, however late. */
  readonly lost = 0;
  readonly #options: LogFileOptions;
  readonly #chunk = Buffer.alloc(CHUNK_LENGTH);
  #file: FileHandle | null;
  #at: number;
  /** The beginning of a line whose end has not been written yet; null while the rest of one that is too long goes by. */
  #line: string | null = '';
  #timer: Timer | null = null;
  #looking: Promise<void> = Promise.resolve();
  #restarts = 0;
  #stopped = false;
  #isUnreadable = false;

  /** @throws {HknockError} `host` when the file cannot be read */
  static async start(options: LogFileOptions): Promise<LogFileSource> {
    try {
      const file = await open(options.path, 'r');
      const source = new LogFileSource(options, file, (await file.stat()).size);
      source.#lookLater();
      return source;
    } catch (cause) {
      throw unreadable(options.path, cause);
    }
  }

  private constructor(options: LogFileOptions, file: FileHandle, at: number) {
    this.#options = options;
    this.#file = file;
    this.#at = at;
  }

  /** How often a new file has been begun. */
  get restarts(): number {
    return this.#restarts;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
    await this.#file?.close();
    this.#file = null;
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.after(LOOK_EVERY_MS, () => {
      this.#looking = this.#look().then(() => {
        this.#lookLater();
      });
    });
  }

  async #look(): Promise<void> {
    try {
      // first whether it was rotated, then what it holds: what was written before the new file came is read from the old
      const next = await this.#rotated();
      await this.#readOn();
      if (next !== null) await this.#goOnWith(next);
      this.#isUnreadable = false;
    } catch (fault) {
      // once, and not fifty times a second
      if (!this.#isUnreadable) {
        this.#options.log.error('the firewall log cannot be read', { fault: String(fault) });
      }
      this.#isUnreadable = true;
    }
  }

  /** The new file, where there is another one of the name; null too while there is none. */
  async #rotated(): Promise<FileHandle | null> {
    const now = await stat(this.#options.path).catch(() => null);
    const before = await this.#file?.stat();
    if (now === null || (now.ino === before?.ino && now.dev === before.dev)) return null;
    return open(this.#options.path, 'r').catch(() => null);
  }

  async #goOnWith(next: FileHandle): Promise<void> {
    await this.#file?.close();
    this.#file = next;
    this.#begin();
  }

  #begin(): void {
    this.#at = 0;
    this.#line = '';
    this.#restarts++;
    this.#options.log.info('the firewall log was rotated', { file: this.#options.path });
  }

  async #readOn(): Promise<void> {
    const size = (await this.#file?.stat())?.size ?? 0;
    if (size < this.#at) this.#begin();
    while (this.#file !== null && !this.#stopped) {
      const { bytesRead } = await this.#file.read(this.#chunk, 0, CHUNK_LENGTH, this.#at);
      if (bytesRead === 0) return;
      this.#at += bytesRead;
      this.#split(this.#chunk.toString('latin1', 0, bytesRead));
    }
  }

  #split(text: string): void {
    const [first = '', ...others] = text.split('\n');
    this.#line = this.#line === null ? null : this.#line + first;
    for (const next of others) {
      if (this.#line !== null) this.#read(this.#line);
      this.#line = next;
    }
    if ((this.#line?.length ?? 0) > MAX_LINE_LENGTH) this.#line = null;
  }

  #read(line: string): void {
    const packet = parseLogLine(line, this.#options.prefix);
    if (packet !== 'foreign') this.#options.listener(packet);
  }
}

/** What to say when a log cannot be read. */
export function unreadable(path: string, cause: unknown): HknockError {
  return new HknockError('host', `${path} cannot be read (${systemCode(cause) ?? 'unknown'})`, {
    hint: 'set log_file in [sequence] to the file that your firewall logs to',
    cause,
  });
}
