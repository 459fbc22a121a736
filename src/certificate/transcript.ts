import { ascii, concat } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/sha256.ts';
import type { Agreement, Content } from './envelope.ts';

const TRANSCRIPT_LABEL = ascii('hknock/1 certificate transcript');
const PROOF_LABEL = ascii('hknock/1 certificate proof');

/** `T` of certificate.md, section 2.3: 32 bytes over all that was said, the responder's key and the certificate with it. */
export function certificateTranscript(
  { challengeTranscript, ephemeral }: Pick<Agreement, 'challengeTranscript' | 'ephemeral'>,
  { wish, certificate }: Pick<Content, 'wish' | 'certificate'>,
): Uint8Array {
  return sha256(concat(TRANSCRIPT_LABEL, challengeTranscript, ephemeral, wish, certificate));
}

/** What is signed: never what the same key signs in another protocol (certificate.md, section 2.3). */
export function signedMessage(transcript: Uint8Array): Uint8Array {
  return concat(PROOF_LABEL, transcript);
}
