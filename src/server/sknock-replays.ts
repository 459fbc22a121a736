import { HknockError } from '../errors/hknock-error.ts';
import { ReplayCache, type SeenRequest } from '../sknock/replay-cache.ts';
import { Journal } from '../store/journal.ts';

/** `1798761600 0123…`, and `1798761600 -` for all that has been forgotten. */
const LINE = /^(\d{1,10}) ([0-9a-f]{32}|-)$/;
const MAX_LINE_LENGTH = 10 + 1 + 32 + 1;

/** Times the capacity: how many lines the file may have before it is written anew. */
const MAX_GROWTH = 2;

/**
 * The requests of the window, also over a restart. They are not forced to the disk: when the machine itself goes down, it is
 * up again later than the window is long.
 */
export class SknockReplays {
  readonly cache: ReplayCache;
  readonly #journal: Journal;
  readonly #maxLines: number;
  #lines = 0;

  /** @throws {HknockError} `config` when the file is none of ours, `host` when it cannot be read or written */
  static async open(path: string, capacity: number): Promise<SknockReplays> {
    const maxLines = capacity * MAX_GROWTH;
    const { journal, lines } = await Journal.open(path, {
      maxLength: (maxLines + 1) * MAX_LINE_LENGTH,
    });
    const replays = new SknockReplays(journal, { capacity, maxLines });
    try {
      lines.forEach((line, at) => {
        replays.#recall(line, `${path}:${String(at + 1)}`);
      });
      await replays.#rewrite();
      return replays;
    } catch (fault) {
      await journal.close();
      throw fault;
    }
  }

  private constructor(
    journal: Journal,
    { capacity, maxLines }: { readonly capacity: number; readonly maxLines: number },
  ) {
    this.cache = new ReplayCache(capacity);
    this.#journal = journal;
    this.#maxLines = maxLines;
  }

  /** Resolves when a restart would find the request. @throws {HknockError} `host` when it would not */
  async keep({ issuedAtUnixS, digest }: SeenRequest): Promise<void> {
    if (this.#lines >= this.#maxLines) await this.#rewrite();
    this.#lines++;
    await this.#journal.append(lineOf(issuedAtUnixS, digest));
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  #recall(line: string, place: string): void {
    const [, second, digest] = LINE.exec(line) ?? [];
    if (second === undefined || digest === undefined) {
      throw new HknockError('config', `${place}: this is no line of an sKnock record`, {
        hint: 'delete the file when no knock of the last minutes matters',
      });
    }
    const issuedAtUnixS = Number(second);
    if (digest === '-') this.cache.forgetUntil(issuedAtUnixS);
    else this.cache.add({ issuedAtUnixS, digest });
  }

  async #rewrite(): Promise<void> {
    const lines = [lineOf(this.cache.forgottenUntilUnixS, '-')];
    for (const { issuedAtUnixS, digest } of this.cache.all()) {
      lines.push(lineOf(issuedAtUnixS, digest));
    }
    this.#lines = lines.length;
    await this.#journal.replace(lines);
  }
}

function lineOf(issuedAtUnixS: number, digest: string): string {
  return `${String(issuedAtUnixS)} ${digest}`;
}
