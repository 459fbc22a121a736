import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createPrivateFile, readPrivateFile, replacePrivateFile } from './private-file.ts';

/**
 * The last list of revoked certificates that was taken, kept whole, as PEM: so that after a restart an older one is known
 * for what it is, and there is one while nobody can be asked for a newer.
 */
export class KeptCrl {
  readonly #path: string;
  readonly #maxLength: number;

  /** @param serverDirectory the server's folder */
  constructor(serverDirectory: string, maxLength: number) {
    this.#path = join(serverDirectory, 'crl.kept.pem');
    this.#maxLength = maxLength;
  }

  /**
   * The text as it was kept; null when there is none yet.
   * @throws {HknockError} `config` when it cannot be read or others can write it
   */
  async read(): Promise<string | null> {
    if ((await stat(this.#path).catch(() => null)) === null) return null;
    return readPrivateFile(this.#path, { content: 'trusted', maxLength: this.#maxLength });
  }

  /** @throws {HknockError} `host` when the system refuses; the last one is kept then */
  async write(pem: string): Promise<void> {
    const isThere = (await stat(this.#path).catch(() => null)) !== null;
    await (isThere ? replacePrivateFile : createPrivateFile)(this.#path, pem);
  }
}
