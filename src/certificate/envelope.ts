import { ascii, concat, isZero } from '../bytes/bytes.ts';
import { decodeUint16, encodeUint16 } from '../bytes/integer.ts';
import { MAX_SENT_CERTIFICATE_LENGTH } from '../bytes/key-lengths.ts';
import { NONCE_LENGTH, open, seal, TAG_LENGTH } from '../crypto/aead.ts';
import { hkdfBlocks, hkdfExtract } from '../crypto/kdf.ts';
import { SIGNATURE_LENGTH } from '../crypto/p256.ts';
import { REQUEST_BODY_LENGTH } from '../handshake/wire/request.ts';

const CERTIFICATE_LENGTH_AT = REQUEST_BODY_LENGTH + SIGNATURE_LENGTH;
const CERTIFICATE_AT = CERTIFICATE_LENGTH_AT + 2;
const CONTENT_LENGTH = CERTIFICATE_AT + MAX_SENT_CERTIFICATE_LENGTH;

export const ENVELOPE_LENGTH = CONTENT_LENGTH + TAG_LENGTH;

const labels = {
  envelope: ascii('hknock/1 certificate envelope'),
  grant: ascii('hknock/1 certificate grant'),
  session: ascii('hknock/1 certificate session'),
};

const NO_BYTES = new Uint8Array();
const ONCE = new Uint8Array(NONCE_LENGTH);

/** The keys of one Response (certificate.md, section 2.2). */
export interface EnvelopeKeys {
  readonly envelope: Uint8Array;
  readonly grant: Uint8Array;
  readonly session: Uint8Array;
}

/** What both sides know once they have agreed on `Z`. */
export interface Agreement {
  /** `T_C`, 32 bytes. */
  readonly challengeTranscript: Uint8Array;
  /** `E`, 65 bytes. */
  readonly ephemeral: Uint8Array;
  /** `Z`, 32 bytes. */
  readonly shared: Uint8Array;
}

/**
 * What only the responder may read.
 *
 *       0   52  wish: a Request's body
 *      52   64  signature
 *     116    2  certificate length
 *     118  700  certificate, then zero
 */
export interface Content {
  readonly wish: Uint8Array;
  readonly signature: Uint8Array;
  readonly certificate: Uint8Array;
}

/** Each key is for one Response, since its ephemeral key is. */
export function envelopeKeys({ challengeTranscript, ephemeral, shared }: Agreement): EnvelopeKeys {
  const expand = hkdfBlocks(hkdfExtract(concat(challengeTranscript, ephemeral), shared));
  return {
    envelope: expand(labels.envelope),
    grant: expand(labels.grant),
    session: expand(labels.session),
  };
}

/** 834 bytes. */
export function sealEnvelope(key: Uint8Array, content: Content): Uint8Array {
  const { wish, signature, certificate } = content;
  const bytes = new Uint8Array(CONTENT_LENGTH);
  bytes.set(wish, 0);
  bytes.set(signature, REQUEST_BODY_LENGTH);
  encodeUint16(certificate.length, bytes, CERTIFICATE_LENGTH_AT);
  bytes.set(certificate, CERTIFICATE_AT);
  // the key is used once, so the nonce need not be another each time
  return seal({ key, nonce: ONCE, ad: NO_BYTES }, bytes);
}

/** The content in the bytes that came, or the reason to drop it: not sealed under this key, or with a length or padding that is none. */
export function openEnvelope(
  key: Uint8Array,
  envelope: Uint8Array,
): Content | 'envelope' | 'malformed' {
  const bytes = open({ key, nonce: ONCE, ad: NO_BYTES }, envelope);
  if (bytes === null) return 'envelope';
  const length = decodeUint16(bytes, CERTIFICATE_LENGTH_AT);
  const end = CERTIFICATE_AT + length;
  if (length === 0 || length > MAX_SENT_CERTIFICATE_LENGTH || !isZero(bytes, end))
    return 'malformed';
  return {
    wish: bytes.subarray(0, REQUEST_BODY_LENGTH),
    signature: bytes.subarray(REQUEST_BODY_LENGTH, CERTIFICATE_LENGTH_AT),
    certificate: bytes.subarray(CERTIFICATE_AT, end),
  };
}
