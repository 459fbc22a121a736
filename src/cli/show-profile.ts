import { renderUnicodeCompact } from 'uqr';
import { formatEnrolmentUri } from '../store/enrolment-uri.ts';
import type { Profile } from '../store/profile.ts';
import { print, tell } from './terminal.ts';

/** Tells where a profile was written, and on a terminal shows it as an enrolment URI with its QR code. */
export function showProfile(profile: Profile, path: string): void {
  print(path);
  // only to eyes: whatever is not a terminal keeps what it gets
  if (process.stderr.isTTY) {
    const uri = formatEnrolmentUri(profile);
    tell(`${renderUnicodeCompact(uri)}\n\n${uri}\n`);
  }
  tell(`give ${path} to ${profile.peer} over a safe way: it is the key to the door`);
}
