import { access, chown, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HknockError } from '../../errors/hknock-error.ts';
import { createPrivateFile, readPrivateFile, writeFault } from '../../store/private-file.ts';
import type { PeerName } from '../../units/names.ts';
import { loadServerConfig } from '../load.ts';
import { schemePath } from '../scheme-files.ts';
import { serviceFinder } from '../service-ports.ts';
import { type Carried, carryOver } from './convert.ts';

/**
 * Writes the schemes that a knockd.conf comes to into a server's folder; none of them is on by that.
 * @throws {HknockError} `bad-input` when nothing of the file can be carried over, `usage` when there is a scheme of one of the
 * names, `config` when the server's folder is wrong; nothing has been written then
 */
export async function importKnockdFile(
  file: string,
  directory: string,
  peer: PeerName,
): Promise<Carried> {
  const serviceOf = serviceFinder((await loadServerConfig(directory)).services.values());
  const text = await readPrivateFile(file, { content: 'trusted', code: 'bad-input' });
  const carried = carryOver(text, { peer, serviceOf });
  if (carried.schemes.length === 0) throw nothingCarried(file, carried);
  const files = carried.schemes.map(({ name, text: content }) => ({
    path: schemePath(directory, name),
    content,
  }));
  for (const { path } of files) await refuseExisting(path);
  await makeFolder(directory);
  for (const { path, content } of files) {
    await createPrivateFile(path, content, { forFolderOwner: true });
  }
  return carried;
}

function nothingCarried(file: string, { notes }: Carried): HknockError {
  const lines = notes.map(({ line, sentence }) => `${file}:${String(line)}: ${sentence}`);
  return new HknockError('bad-input', [`${file} has no door to carry over`, ...lines].join('\n'));
}

// for the server's user, who is another one than root's where `sudo` makes it
async function makeFolder(directory: string): Promise<void> {
  const folder = dirname(schemePath(directory, ''));
  try {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    const { uid, gid } = await stat(directory);
    if (made !== undefined) await chown(folder, uid, gid);
  } catch (error) {
    throw writeFault(folder, error);
  }
}

async function refuseExisting(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) throw new HknockError('usage', `${path} is already there`);
}
