import { chown, lstat, mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HknockError } from '../errors/hknock-error.ts';
import { whileAlone } from './folder-lock.ts';
import { formatIndex, type Issued, parseIndex } from './issued-index.ts';
import {
  createPrivateFile,
  readPrivateFile,
  refuseOpenFolder,
  replacePrivateFile,
  writeFault,
} from './private-file.ts';

/** Room for a hundred thousand certificates. */
const MAX_INDEX_LENGTH = 16_777_216;

/** What an authority keeps, as text. */
export interface AuthorityFiles {
  /** PEM */
  readonly certificate: string;
  /** PEM */
  readonly key: string;
  readonly issued: readonly Issued[];
  /** The number of the next list of revoked certificates. */
  readonly crlNumber: bigint;
}

/** What changes while an authority works. */
export interface AuthorityChanges {
  readonly issued?: readonly Issued[];
  /** A new list of revoked certificates, PEM; the next one gets the next number. */
  readonly crl?: string;
}

/**
 * The folder of an authority, `ca` in the server's folder: `ca.pem`, `ca.key`, `crl.pem`, and `index.txt` and `crlnumber` in
 * the form of `openssl ca`. All of mode 0600. When root makes them, `ca.key` is root's, and all else belongs to the owner of the
 * server's folder.
 */
export class AuthorityFolder {
  readonly path: string;

  /** @param serverDirectory the folder in which `ca` lies */
  constructor(serverDirectory: string) {
    this.path = join(serverDirectory, 'ca');
  }

  file(name: 'ca.pem' | 'ca.key' | 'crl.pem' | 'index.txt' | 'crlnumber'): string {
    return join(this.path, name);
  }

  /**
   * Makes the folder; when anything fails nothing is left of it.
   * @throws {HknockError} `usage` when it is there already, `host` when the system refuses
   */
  async create({ certificate, key, crl }: NewAuthority): Promise<void> {
    if ((await lstat(this.path).catch(() => null)) !== null) {
      throw new HknockError('usage', `${this.path} is already there, and nothing is overwritten`, {
        hint: 'name another folder with --dir, or move this one away',
      });
    }
    const undo: (() => Promise<void>)[] = [];
    const write = async (
      name: Parameters<typeof this.file>[0],
      text: string,
      forFolderOwner = true,
    ): Promise<void> => {
      await createPrivateFile(this.file(name), text, { forFolderOwner });
      undo.push(() => rm(this.file(name)));
    };
    try {
      await makeFolder(this.path);
      undo.push(() => rmdir(this.path));
      // a server that runs as another user than root need not be able to issue certificates
      await write('ca.key', key, false);
      await write('index.txt', '');
      await write('crlnumber', formatNumber(2n));
      await write('crl.pem', crl);
      // last, since it is what makes the folder an authority's
      await write('ca.pem', certificate);
    } catch (error) {
      for (const step of undo.reverse()) await step().catch(() => undefined);
      throw writeFault(this.path, error);
    }
  }

  /**
   * Reads all of it, and writes what `change` makes of it, while nobody else does.
   * @throws {HknockError} `config` when there is no authority or its files are wrong or open to others; `host`; whatever `change` throws
   */
  async change<T extends AuthorityChanges>(
    change: (files: AuthorityFiles) => Promise<T>,
  ): Promise<T> {
    await refuseOpenFolder(this.path, 'hknock ca init');
    return whileAlone(this.path, async () => {
      const files = await this.#read();
      const changes = await change(files);
      if (changes.issued !== undefined) {
        await replacePrivateFile(this.file('index.txt'), formatIndex(changes.issued));
      }
      if (changes.crl !== undefined) await this.#writeCrl(changes.crl, files.crlNumber);
      return changes;
    });
  }

  async #read(): Promise<AuthorityFiles> {
    const index = this.file('index.txt');
    return {
      certificate: await readPrivateFile(this.file('ca.pem'), { content: 'trusted' }),
      key: await readPrivateFile(this.file('ca.key'), { content: 'secret' }),
      issued: parseIndex(
        await readPrivateFile(index, { content: 'trusted', maxLength: MAX_INDEX_LENGTH }),
        index,
      ),
      crlNumber: await this.#readNumber(),
    };
  }

  async #readNumber(): Promise<bigint> {
    const path = this.file('crlnumber');
    const text = (await readPrivateFile(path, { content: 'trusted' })).trim();
    if (/^[0-9A-F]{1,40}$/i.test(text)) return BigInt(`0x${text}`);
    throw new HknockError('config', `${path} holds no number in hexadecimal`);
  }

  // the number first: one that is left out does no harm, one that is used twice does
  async #writeCrl(pem: string, number: bigint): Promise<void> {
    await replacePrivateFile(this.file('crlnumber'), formatNumber(number + 1n));
    const path = this.file('crl.pem');
    const isThere = (await stat(path).catch(() => null)) !== null;
    await (isThere
      ? replacePrivateFile(path, pem)
      : createPrivateFile(path, pem, { forFolderOwner: true }));
  }
}

/** What a new authority begins with, as PEM; its list has the number 1. */
export interface NewAuthority {
  readonly certificate: string;
  readonly key: string;
  readonly crl: string;
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await mkdir(path, { mode: 0o700 });
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = await stat(dirname(path));
  await chown(path, uid, gid);
}

/** As OpenSSL writes it: hexadecimal, two digits a byte. */
function formatNumber(number: bigint): string {
  const hex = number.toString(16).toUpperCase();
  return `${hex.length % 2 === 0 ? hex : `0${hex}`}\n`;
}
