import { join } from 'node:path';
import { access } from 'node:fs/promises';
import { HknockError } from '../errors/hknock-error.ts';
import { createPrivateFile, readPrivateFile, replacePrivateFile } from './private-file.ts';

/** The text before the steps. */
const INTRODUCTION =
  '# Time steps that have opened, by credential: none opens again (sequence.md, section 3). Written by the server.\n';

/** The latest time step that each credential has opened, in a server's folder: what RFC 6238, section 5.2, asks for. */
export class StepStore {
  readonly #path: string;
  readonly #latest: Map<string, number>;
  #writing: Promise<void> = Promise.resolve();

  /**
   * Reads the file, and makes it where there is none.
   * @throws {HknockError} `config` when it is wrong or open to others, `host` when it cannot be made
   */
  static async open(serverDirectory: string): Promise<StepStore> {
    const path = join(serverDirectory, 'sequence.steps');
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (!isThere) await createPrivateFile(path, INTRODUCTION, { forFolderOwner: true });
    return new StepStore(
      path,
      decodeSteps(await readPrivateFile(path, { content: 'trusted' }), path),
    );
  }

  private constructor(path: string, latest: Map<string, number>) {
    this.#path = path;
    this.#latest = latest;
  }

  /** The latest step of any credential; null when none has opened. */
  get latest(): number | null {
    return this.#latest.size === 0 ? null : Math.max(...this.#latest.values());
  }

  /** The latest step that a credential has opened; null when it has opened none. */
  latestOf(credential: string): number | null {
    return this.#latest.get(credential) ?? null;
  }

  /**
   * Uses a step up. When it says true, the step is on disk.
   * @returns false when it, or a later one, has been used before
   * @throws {HknockError} `host` when it cannot be written; it is as unused as it was then
   */
  async use(credential: string, step: number): Promise<boolean> {
    const before = this.#latest.get(credential);
    if (before !== undefined && step <= before) return false;
    // now, so that the same step, come twice, counts once while the disk is at work
    this.#latest.set(credential, step);
    try {
      await this.#write();
    } catch (fault) {
      this.#restore(credential, step, before);
      throw fault;
    }
    return true;
  }

  /** Forgets credentials that nobody has any more; the file follows when it is next written. */
  keepOnly(credentials: ReadonlySet<string>): void {
    for (const each of this.#latest.keys()) if (!credentials.has(each)) this.#latest.delete(each);
  }

  #restore(credential: string, step: number, before: number | undefined): void {
    if (this.#latest.get(credential) !== step) return;
    if (before === undefined) this.#latest.delete(credential);
    else this.#latest.set(credential, before);
  }

  // one after the other: the last to write must write all that is known then
  #write(): Promise<void> {
    const next = this.#writing.then(() =>
      replacePrivateFile(this.#path, encodeSteps(this.#latest)),
    );
    this.#writing = next.catch(() => undefined);
    return next;
  }
}

function encodeSteps(latest: ReadonlyMap<string, number>): string {
  const lines = [...latest].map(([credential, step]) => `${credential} ${String(step)}\n`);
  return INTRODUCTION + lines.join('');
}

function decodeSteps(text: string, path: string): Map<string, number> {
  const latest = new Map<string, number>();
  text.split('\n').forEach((line, at) => {
    if (line === '' || line.startsWith('#')) return;
    const [, credential = '', step = ''] = /^([0-9a-f]{16}) (\d{1,15})$/.exec(line) ?? [];
    if (credential === '' || latest.has(credential)) {
      throw new HknockError(
        'config',
        `${path}:${String(at + 1)}: expected a credential's id and a step`,
        {
          hint: 'put the file of a backup in its place, or delete it: a sequence that has opened could open again then, for 90 s',
        },
      );
    }
    latest.set(credential, Number(step));
  });
  return latest;
}
