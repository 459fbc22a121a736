import { type FileHandle, open } from 'node:fs/promises';
import { HknockError } from '../errors/hknock-error.ts';
import {
  createPrivateFile,
  replacePrivateFile,
  readPrivateFile,
  writeFault,
} from './private-file.ts';

export interface JournalOptions {
  /** Of the file, in bytes: a longer one is none of ours. */
  readonly maxLength: number;
  /** Whether a line is to outlast the machine's end too, and not only this process's; not, if not said. */
  readonly onDisk?: boolean;
}

export interface OpenJournal {
  readonly journal: Journal;
  /** Without the last one, if that was cut off while it was written. */
  readonly lines: readonly string[];
  /** Whether there was no such file. */
  readonly isNew: boolean;
}

/**
 * A file of lines that only grows, until it is written anew; mode 0600. A line that was appended is there after this process has ended,
 * however it ends. That the machine itself may lose its last lines is for the user to answer for, unless he has them put `onDisk`.
 */
export class Journal {
  readonly #path: string;
  readonly #onDisk: boolean;
  #file: FileHandle;
  #turn: Promise<void> = Promise.resolve();

  /**
   * Opens a journal, or begins one, and gives its lines.
   * @throws {HknockError} `config` when others have access to the file, `host` when the system refuses
   */
  static async open(
    path: string,
    { maxLength, onDisk = false }: JournalOptions,
  ): Promise<OpenJournal> {
    const text = await readOrBegin(path, maxLength);
    const lines = (text ?? '').split('\n');
    // what follows the last end of a line
    lines.pop();
    const file = await openToAppend(path);
    return { journal: new Journal(path, file, onDisk), lines, isNew: text === null };
  }

  private constructor(path: string, file: FileHandle, onDisk: boolean) {
    this.#path = path;
    this.#file = file;
    this.#onDisk = onDisk;
  }

  /** Resolves when the line is in the file. @throws {HknockError} `host` when it is not, or may not be */
  append(line: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#file.appendFile(`${line}\n`);
      if (this.#onDisk) await this.#file.datasync();
    });
  }

  /** Puts these lines in the place of all. @throws {HknockError} `host`; the file is as it was then */
  replace(lines: readonly string[]): Promise<void> {
    return this.#inTurn(async () => {
      await replacePrivateFile(this.#path, lines.map((line) => `${line}\n`).join(''));
      await this.#file.close();
      this.#file = await openToAppend(this.#path);
    });
  }

  /** Waits for what is under way. */
  close(): Promise<void> {
    return this.#inTurn(() => this.#file.close());
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work).catch((error: unknown) => {
      throw writeFault(this.#path, error);
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

async function readOrBegin(path: string, maxLength: number): Promise<string | null> {
  try {
    await createPrivateFile(path, '', { forFolderOwner: true });
    return null;
  } catch (fault) {
    if (!(fault instanceof HknockError) || fault.code !== 'usage') throw fault;
    return readPrivateFile(path, { content: 'secret', maxLength });
  }
}

async function openToAppend(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'a', 0o600);
  } catch (error) {
    throw writeFault(path, error);
  }
}
