import { MAX_SENT_CERTIFICATE_LENGTH } from '../bytes/key-lengths.ts';
import { NONCE_LENGTH } from '../crypto/aead.ts';
import { AgreementKey } from '../crypto/p256.ts';
import type { InitiatorContext, Proof, Prover } from '../handshake/initiator.ts';
import { transcriptHash } from '../handshake/transcript.ts';
import { encodeRequestBody } from '../handshake/wire/request.ts';
import { envelopeKeys, sealEnvelope } from './envelope.ts';
import { encodeResponse, ZERO_BODY } from './response.ts';
import { certificateTranscript, signedMessage } from './transcript.ts';

/** What a client with a certificate has. */
export interface Holder {
  /** DER, at most 700 bytes. */
  readonly certificate: Uint8Array;
  /** The responder's public key, 65 bytes, a point of the curve. */
  readonly responderPoint: Uint8Array;
  /** Signs with the certificate's key: 64 bytes. */
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/**
 * Proves by a certificate (certificate.md, section 5). The context's keys are those of the lobby.
 * @throws {RangeError} when the certificate is too long: whoever loaded it should have looked
 */
export function certificateProver(holder: Holder): Prover {
  if (holder.certificate.length > MAX_SENT_CERTIFICATE_LENGTH) {
    throw new RangeError(`expected at most ${String(MAX_SENT_CERTIFICATE_LENGTH)} bytes`);
  }
  return {
    requestBody: ZERO_BODY,
    prove: (challenge, context) => prove(holder, challenge, context),
  };
}

function prove(
  { certificate, responderPoint, sign }: Holder,
  { statement, cookie }: Parameters<Prover['prove']>[0],
  { keys, wish, entropy }: InitiatorContext,
): Proof {
  const key = AgreementKey.draw(entropy);
  const ephemeral = key.point;
  const shared = key.agree(responderPoint);
  if (shared === null) throw new RangeError("the responder's public key is no point of the curve");
  const challengeTranscript = transcriptHash(keys, statement, cookie);
  const own = envelopeKeys({ challengeTranscript, ephemeral, shared });
  const said = { wish: encodeRequestBody(wish), certificate };
  const transcript = certificateTranscript({ challengeTranscript, ephemeral }, said);
  const signature = sign(signedMessage(transcript));
  const envelope = sealEnvelope(own.envelope, { ...said, signature });
  const body = { statement, cookie, ephemeral, envelope };
  const response = encodeResponse(keys, entropy.bytes(NONCE_LENGTH), body);
  return { response, transcript, keys: own };
}
