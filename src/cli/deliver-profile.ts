import { access } from 'node:fs/promises';
import { renderUnicodeCompact } from 'uqr';
import { HknockError } from '../errors/hknock-error.ts';
import { formatEnrolmentUri } from '../store/enrolment-uri.ts';
import { writeProfileFile } from '../store/profile-file.ts';
import type { Profile } from '../store/profile.ts';
import { print, tell } from './terminal.ts';

/** @throws {HknockError} `usage` when there is a file of that name */
export async function requireNew(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere)
    throw new HknockError('usage', `${path} is already there`, { hint: 'name another with --out' });
}

/** Writes a profile for its owner to a file, and shows it on a terminal as an enrolment URI with its QR code. */
export async function deliverProfile(profile: Profile, path: string): Promise<void> {
  await writeProfileFile(path, profile);
  print(path);
  // only to eyes: whatever is not a terminal keeps what it gets
  if (process.stderr.isTTY) {
    const uri = formatEnrolmentUri(profile);
    tell(`${renderUnicodeCompact(uri)}\n\n${uri}\n`);
  }
  tell(`give ${path} to ${profile.peer} over a safe way: it is the key to the door`);
}
