import type { KeyObject } from 'node:crypto';
import { type AgreementKey, isSignedBy } from '../crypto/p256.ts';
import { sessionSecret } from '../handshake/transcript.ts';
import { decodeRequestBody, type RequestBody } from '../handshake/wire/request.ts';
import type { PeerName } from '../units/names.ts';
import type { ServicePort } from '../units/network.ts';
import { type Content, envelopeKeys, openEnvelope } from './envelope.ts';
import { certificateTranscript, signedMessage } from './transcript.ts';

/** A Response whose challenge was ours: what its public-key work needs. Plain data, to be sent to another thread. */
export interface Examination {
  /** `T_C`, 32 bytes. */
  readonly challengeTranscript: Uint8Array;
  /** 65 bytes. */
  readonly ephemeral: Uint8Array;
  /** 834 bytes. */
  readonly envelope: Uint8Array;
}

/** What the examination came to. Plain data as well. */
export type Verdict = Good | Bad;

/** A certificate that may knock. */
export interface Trusted {
  readonly peer: PeerName;
  readonly publicKey: KeyObject;
  readonly authorised: readonly ServicePort[];
}

interface Good {
  readonly kind: 'good';
  readonly peer: PeerName;
  readonly authorised: readonly ServicePort[];
  /** DER, for whoever has to look at it again when what it depends on has changed. */
  readonly certificate: Uint8Array;
  readonly wish: RequestBody;
  readonly transcript: Uint8Array;
  readonly grantKey: Uint8Array;
  readonly sessionSecret: Uint8Array;
}

interface Bad {
  readonly kind: 'bad';
  readonly reason: 'envelope' | 'malformed' | 'certificate' | 'proof';
  /** With `certificate`: what is wrong with it. */
  readonly fault?: string;
  /** Whose it is, where that is known. */
  readonly peer?: PeerName;
}

export interface ExaminerParts {
  /** The responder's static key. */
  readonly key: AgreementKey;
  /** The certificate, or what is wrong with it. */
  readonly verify: (der: Uint8Array) => Trusted | string;
}

/** Steps 10 to 13 of certificate.md, section 4: everything that takes public-key work. Never throws for what a client may send. */
export function examine(examination: Examination, { key, verify }: ExaminerParts): Verdict {
  const { challengeTranscript, ephemeral, envelope } = examination;
  // step 10
  const shared = key.agree(ephemeral);
  if (shared === null) return bad('envelope');
  const keys = envelopeKeys({ challengeTranscript, ephemeral, shared });
  const content = openEnvelope(keys.envelope, envelope);
  if (typeof content === 'string') return bad(content);
  // step 11
  const wish = decodeRequestBody(content.wish);
  if (wish === null) return bad('malformed');
  // step 12: before this, the key in the certificate is anybody's
  const trusted = verify(content.certificate);
  if (typeof trusted === 'string') return { ...bad('certificate'), fault: trusted };
  // step 13
  const transcript = certificateTranscript(examination, content);
  if (!isProof(trusted, transcript, content)) return bad('proof');
  const { peer, authorised } = trusted;
  const session = sessionSecret(keys, transcript);
  const proven = { wish, transcript, grantKey: keys.grant, sessionSecret: session };
  return { kind: 'good', peer, authorised, certificate: content.certificate, ...proven };
}

function isProof({ publicKey }: Trusted, transcript: Uint8Array, { signature }: Content): boolean {
  return isSignedBy(publicKey, signedMessage(transcript), signature);
}

function bad(reason: Bad['reason']): Bad {
  return { kind: 'bad', reason };
}
