import { createPublicKey, type KeyObject } from 'node:crypto';
import { lstat, readFile, rm } from 'node:fs/promises';
import { format, parse } from 'node:path';
import { HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';
import { readRequest } from '../pki/authority.ts';
import { AuthorityFolder } from '../store/authority-folder.ts';
import { createPrivateFile } from '../store/private-file.ts';
import { type AuthorityHost, issue, type IssueOptions, keyText, newKey } from './authority.ts';
import { encodePkcs12, requirePassword } from '../store/pkcs12.ts';

/** What is wanted, and in which file. */
export interface Order extends Omit<IssueOptions, 'publicKey'> {
  /** Not there yet; it will have mode 0600. */
  readonly path: string;
}

/**
 * Makes a key, and a certificate for it as PEM; the key goes into a file `.key` beside it. Gives both paths.
 * @throws {HknockError} as {@link issue}; `usage` when one of the files is there
 */
export async function issueAsPem(host: AuthorityHost, order: Order): Promise<readonly string[]> {
  const key = newKey();
  const { dir, name } = parse(order.path);
  const keyPath = format({ dir, name, ext: '.key' });
  // first: when it cannot be written, nothing has been issued
  await write(keyPath, keyText(key), order);
  try {
    return [...(await issueFor(createPublicKey(key), host, order)), keyPath];
  } catch (fault) {
    await rm(keyPath, { force: true });
    throw fault;
  }
}

/**
 * Makes a certificate for the key of a request (PEM), and gives the path.
 * @throws {HknockError} as {@link issue}; `bad-input` when the request cannot be used, `usage` when the file is there
 */
export async function issueForRequest(
  host: AuthorityHost,
  order: Order,
  request: string,
): Promise<readonly string[]> {
  const text = await readFile(request, 'utf8').catch((cause: unknown) => {
    const code = systemCode(cause) ?? 'unknown';
    throw new HknockError('bad-input', `${request} cannot be read (${code})`, { cause });
  });
  return issueFor(await readRequest(text), host, order);
}

/**
 * Makes a key, and a PKCS#12 file with it, its certificate and that of the authority. Gives the path.
 * @throws {HknockError} as {@link issue}; `usage` without a password or when the file is there, `host` without openssl
 */
export async function issueAsPkcs12(
  host: AuthorityHost,
  order: Order,
  password: string,
): Promise<readonly string[]> {
  await refuseExisting(order.path);
  const key = newKey();
  requirePassword(password);
  const pem = await issue(host, { ...order, publicKey: createPublicKey(key) });
  const ca = await readFile(new AuthorityFolder(host.directory).file('ca.pem'), 'utf8');
  const file = await encodePkcs12(keyText(key) + pem + ca, { name: order.name, password });
  await write(order.path, file, order);
  return [order.path];
}

async function issueFor(
  publicKey: KeyObject,
  host: AuthorityHost,
  order: Order,
): Promise<readonly string[]> {
  await refuseExisting(order.path);
  await write(order.path, await issue(host, { ...order, publicKey }), order);
  return [order.path];
}

// the server's own must be readable by the user that the server runs as
function write(path: string, content: string | Uint8Array, { authorised }: Order): Promise<void> {
  return createPrivateFile(path, content, { forFolderOwner: authorised === null });
}

/** Asked before anything is issued: a certificate that nobody gets would stay in the index. */
export async function refuseExisting(path: string): Promise<void> {
  if ((await lstat(path).catch(() => null)) !== null) {
    throw new HknockError('usage', `${path} is already there`, { hint: 'name another with --out' });
  }
}
