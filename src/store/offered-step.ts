import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { HknockError } from '../errors/hknock-error.ts';
import { createPrivateFile, readPrivateFile, replacePrivateFile } from './private-file.ts';

/** The text before the step. */
const INTRODUCTION =
  '# The latest time step whose numbers have been offered: none of them is offered again (silent.md, section 4). Written by the server.\n';

/** The latest time step whose numbers silent mode has offered, in a server's folder. */
export class OfferedStep {
  readonly #path: string;
  #latest: number;

  /**
   * Reads the file, and makes it where there is none.
   * @throws {HknockError} `config` when it is wrong or open to others, `host` when it cannot be made
   */
  static async open(serverDirectory: string): Promise<OfferedStep> {
    const path = join(serverDirectory, 'silent.step');
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (!isThere) await createPrivateFile(path, encode(0), { forFolderOwner: true });
    return new OfferedStep(path, decode(await readPrivateFile(path, { content: 'trusted' }), path));
  }

  private constructor(path: string, latest: number) {
    this.#path = path;
    this.#latest = latest;
  }

  /** 0 when none has been offered. */
  get latest(): number {
    return this.#latest;
  }

  /**
   * Notes that all steps up to this one are offered from now on; when it resolves, that is on disk.
   * @throws {HknockError} `host` when it cannot be written
   */
  async raise(step: number): Promise<void> {
    if (step <= this.#latest) return;
    await replacePrivateFile(this.#path, encode(step));
    this.#latest = step;
  }
}

function encode(step: number): string {
  return `${INTRODUCTION}${String(step)}\n`;
}

function decode(text: string, path: string): number {
  const [, step] = /^(?:#.*\n)*(\d{1,15})\n$/.exec(text) ?? [];
  if (step !== undefined) return Number(step);
  throw new HknockError('config', `${path}: expected the number of a time step`, {
    hint: 'put the file of a backup in its place, or delete it: a number that has been used could be used again then, for 90 s',
  });
}
