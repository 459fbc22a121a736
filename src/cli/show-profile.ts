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

/** Prints what an authenticator needs to know of the peer's key for sequences, if it has one. */
export async function showAuthenticator({ name, peer, sequence }: Profile): Promise<void> {
  if (sequence === undefined) return;
  const { formatOtpauthUri } = await import('../store/authenticator.ts');
  const uri = formatOtpauthUri(sequence.secret, { issuer: name, label: peer });
  print(uri);
  if (process.stderr.isTTY) tell(renderUnicodeCompact(uri));
  tell(
    'the second line is for an authenticator, which shows with it whether secret and clock agree',
  );
}

/** Prints what a client of fwknop needs, if the peer has keys for that. */
export async function showStanza(directory: string, profile: Profile): Promise<void> {
  const { readStanza } = await import('../config/fwknop/stanza-text.ts');
  const stanza = await readStanza(directory, profile);
  if (stanza === null) return;
  print(stanza.text);
  tell(
    'the stanza is for the .fwknoprc of a client, mode 0600: it is a key to the door as well. fwknop -n its name, with -a and the address that the server sees',
  );
  if (!stanza.isOn) tell('next: enabled = true in hknock.toml, [fwknop]');
}
