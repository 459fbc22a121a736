import { ascii, concat } from '../bytes/bytes.ts';
import { hkdfBlocks } from '../crypto/kdf.ts';
import { sha256 } from '../crypto/sha256.ts';
import type { HandshakeKeys } from './keys.ts';

const TRANSCRIPT_LABEL = ascii('hknock/1 transcript');
const SESSION_LABEL = ascii('hknock/1 session secret');

/** `T` of wire.md, section 3.3: 32 bytes over all that was said before the proof. */
export function transcriptHash(
  keys: HandshakeKeys,
  statement: Uint8Array,
  cookie: Uint8Array,
): Uint8Array {
  return sha256(concat(TRANSCRIPT_LABEL, keys.responderId, keys.tag, statement, cookie));
}

/** The secret that both sides hold after the handshake and that never travels (P12): 32 bytes. */
export function sessionSecret(
  keys: Pick<HandshakeKeys, 'session'>,
  transcript: Uint8Array,
): Uint8Array {
  return hkdfBlocks(keys.session)(concat(SESSION_LABEL, transcript));
}
