import { type FileHandle, open } from 'node:fs/promises';
import { HknockError } from '../errors/hknock-error.ts';
import {
  createPrivateFile,
  replacePrivateFile,
  readPrivateFile,
  writeFault,
} from './private-file.ts';

/**
 * A file of lines that only grows, until it is written anew; mode 0600. A line that was appended is there after this process has ended,
 * however it ends. That the machine itself may lose its last lines is for the user to answer for.
 */
export class Journal {
  readonly #path: string;
  #file: FileHandle;
  #turn: Promise<void> = Promise.resolve();

  /**
   * Opens a journal, or begins one, and gives its lines.
   * @param maxLength of the file, in bytes: a longer one is none of ours
   * @throws {HknockError} `config` when others have access to the file, `host` when the system refuses
   */
  static async open(
    path: string,
    maxLength: number,
  ): Promise<{ readonly journal: Journal; readonly lines: readonly string[] }> {
    const lines = (await readOrBegin(path, maxLength)).split('\n');
    // what follows the last end of a line was cut off while it was written
    lines.pop();
    return { journal: new Journal(path, await openToAppend(path)), lines };
  }

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Resolves when the line is in the file. @throws {HknockError} `host` when it is not, or may not be */
  append(line: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#file.appendFile(`${line}\n`);
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

async function readOrBegin(path: string, maxLength: number): Promise<string> {
  try {
    await createPrivateFile(path, '', { forFolderOwner: true });
    return '';
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
