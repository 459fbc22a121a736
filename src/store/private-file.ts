import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ErrorCode, HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';

/** Longest file that is read, in bytes: far above any honest one, far below what would hurt. */
export const MAX_FILE_LENGTH = 1_048_576;

export interface ReadOptions {
  /** `secret`: nobody else may read or write it. `trusted`: others may read it, but not write it. */
  readonly content: 'secret' | 'trusted';
  /** Code for a file that is not there or is not text; `config` if not said. */
  readonly code?: ErrorCode;
  /** What to do when the file is not there. */
  readonly missing?: string;
  /** Longest file that is read, in bytes; {@link MAX_FILE_LENGTH} if not said. */
  readonly maxLength?: number;
}

/**
 * Reads a text file whose owner and mode show that strangers cannot have read (or written) it. Owner and mode are
 * asked of the opened file, never of its name, so that nobody can swap the file between check and use. Links are
 * followed: what matters is the file they end at. Root may read everybody's files, as the system lets it anyway.
 * @throws {HknockError} `config` when others have access to it, `options.code` when it cannot be read as text
 */
export async function readPrivateFile(path: string, options: ReadOptions): Promise<string> {
  return decodeText(path, await readPrivateBytes(path, options), options.code ?? 'config');
}

/** The same for a file that is no text. @throws {HknockError} as {@link readPrivateFile} */
export async function readPrivateBytes(path: string, options: ReadOptions): Promise<Uint8Array> {
  const code = options.code ?? 'config';
  const file = await openToRead(path, options);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new HknockError(code, `${path} is not a plain file`);
    refuseOtherOwner(path, stats);
    refuseWideMode(path, stats, options.content);
    const maxLength = options.maxLength ?? MAX_FILE_LENGTH;
    if (stats.size > maxLength) {
      throw new HknockError(code, `${path} is longer than ${String(maxLength)} bytes`);
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/**
 * Refuses a folder in which others can put or swap files: whoever can do that lets himself in. Root may use everybody's.
 * @param missing what to do when the folder is not there
 * @throws {HknockError} `config`
 */
export async function refuseOpenFolder(path: string, missing: string): Promise<void> {
  const stats = await stat(path).catch((error: unknown) => {
    if (isMissing(error)) {
      throw new HknockError('config', `${path} is not there`, { hint: missing, cause: error });
    }
    throw readFault(path, 'config', error);
  });
  // root may swap our files whoever owns their folder
  if (stats.uid !== 0) refuseOtherOwner(path, stats);
  if (process.geteuid === undefined || (stats.mode & 0o022) === 0) return;
  throw new HknockError('config', `others may put files into ${path}`, {
    hint: `chmod go-w ${path}`,
  });
}

/**
 * Writes a new file with mode 0600; a file that cannot be written to its end is taken away again.
 * @param options.forFolderOwner when root writes it, it is to belong to whom its folder belongs: a server that runs as
 * another user must be able to read what `sudo hknock` makes there
 * @throws {HknockError} `usage` when there is a file of that name, `host` when the system refuses
 */
export async function createPrivateFile(
  path: string,
  content: string | Uint8Array,
  { forFolderOwner = false } = {},
): Promise<void> {
  try {
    await writeNew(path, content, forFolderOwner ? await stat(dirname(path)) : null);
    await syncDirectory(dirname(path));
  } catch (error) {
    if (systemCode(error) === 'EEXIST') {
      throw new HknockError('usage', `${path} is already there`, { cause: error });
    }
    throw writeFault(path, error);
  }
}

/**
 * Puts a new text in the place of a file's old one: after a crash the file holds one of the two, whole.
 * A link stays a link, and the file it ends at is replaced; the owner stays too, when root writes.
 * @throws {HknockError} `host` when the system refuses; the file is as it was then
 */
export async function replacePrivateFile(path: string, text: string): Promise<void> {
  try {
    const target = await realpath(path);
    // the dot keeps a temporary file that a crash left behind out of every listing
    const temporary = `${dirname(target)}/.new-${String(process.pid)}-${String(++replacements)}`;
    await writeNew(temporary, text, await stat(target));
    await rename(temporary, target).catch(async (error: unknown) => {
      await rm(temporary, { force: true });
      throw error;
    });
    await syncDirectory(dirname(target));
  } catch (error) {
    throw writeFault(path, error);
  }
}

/**
 * Makes a name's coming or going in a directory survive a crash.
 * @throws what the system threw
 */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** A fault while writing, in words; an {@link HknockError} passes as it is. */
export function writeFault(path: string, error: unknown): HknockError {
  if (error instanceof HknockError) return error;
  return new HknockError('host', `${path} cannot be written (${systemCode(error) ?? 'unknown'})`, {
    hint: 'check that its folder is there, that you may write to it and that the disk has room',
    cause: error,
  });
}

let replacements = 0;

async function openToRead(path: string, options: ReadOptions): Promise<FileHandle> {
  try {
    // without O_NONBLOCK a named pipe would hold us until somebody writes to it
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = options.code ?? 'config';
    if (!isMissing(error)) throw readFault(path, code, error);
    const hint = options.missing === undefined ? {} : { hint: options.missing };
    throw new HknockError(code, `${path} is not there`, { ...hint, cause: error });
  }
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '');
}

function readFault(path: string, code: ErrorCode, error: unknown): HknockError {
  return new HknockError(code, `${path} cannot be read (${systemCode(error) ?? 'unknown'})`, {
    hint: 'run as the user who owns it, or as root',
    cause: error,
  });
}

function refuseOtherOwner(path: string, { uid }: Stats): void {
  const own = process.geteuid?.();
  if (own === undefined || own === 0 || own === uid) return;
  throw new HknockError('config', `${path} belongs to another user (uid ${String(uid)})`, {
    hint: `as root: chown ${String(own)} ${path}`,
  });
}

// on Windows there are no owners and modes to look at; access lists of the user's folder stand in for them
function refuseWideMode(path: string, { mode }: Stats, content: ReadOptions['content']): void {
  const [forbidden, right, deed] =
    content === 'secret'
      ? ([0o077, '600', 'read or write'] as const)
      : ([0o022, 'go-w', 'write'] as const);
  if (process.geteuid === undefined || (mode & forbidden) === 0) return;
  const shown = (mode & 0o7777).toString(8).padStart(4, '0');
  throw new HknockError('config', `others may ${deed} ${path} (its mode is ${shown})`, {
    hint: `chmod ${right} ${path}`,
  });
}

function decodeText(path: string, bytes: Uint8Array, code: ErrorCode): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw new HknockError(code, `${path}:1: begins with a byte order mark`, {
      hint: 'save it as UTF-8 without a byte order mark',
    });
  }
  const nul = bytes.indexOf(0);
  if (nul >= 0) throw new HknockError(code, `${path}:${lineAt(bytes, nul)}: has a NUL byte`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new HknockError(code, `${path} is not UTF-8 text`, { cause: error });
  }
}

function lineAt(bytes: Uint8Array, end: number): string {
  return String(bytes.subarray(0, end).filter((byte) => byte === 0x0a).length + 1);
}

async function writeNew(
  path: string,
  content: string | Uint8Array,
  owner: Stats | null,
): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    if (owner !== null && process.geteuid?.() === 0) await file.chown(owner.uid, owner.gid);
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}
