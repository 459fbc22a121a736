import { ascii, concat } from '../bytes/bytes.ts';
import { PEER_TAG_LENGTH, RESPONDER_ID_LENGTH, SECRET_LENGTH } from '../bytes/key-lengths.ts';
import { hkdfExpand, hkdfExtract } from '../crypto/kdf.ts';
import { Mac } from '../crypto/mac.ts';
import type { Credential } from './credential.ts';

/** Everything derived from a credential: one key for each direction and message (wire.md, section 3.1). */
export interface HandshakeKeys {
  readonly tag: Uint8Array;
  readonly responderId: Uint8Array;
  readonly request: Uint8Array;
  readonly challenge: Uint8Array;
  readonly response: Uint8Array;
  readonly grant: Uint8Array;
  readonly proof: Mac;
  readonly session: Uint8Array;
}

/**
 * The key schedule of wire.md, section 3.1.
 * @throws {RangeError} when a part of the credential has a wrong length: whoever loaded it should have looked
 */
export function deriveKeys({ tag, secret, responderId }: Credential): HandshakeKeys {
  requireLength(tag, PEER_TAG_LENGTH);
  requireLength(secret, SECRET_LENGTH);
  requireLength(responderId, RESPONDER_ID_LENGTH);
  const prk = hkdfExtract(concat(ascii('hknock/1 psk'), responderId, tag), secret);
  const key = (name: string): Uint8Array => hkdfExpand(prk, ascii(`hknock/1 ${name}`));
  return {
    tag,
    responderId,
    request: key('request'),
    challenge: key('challenge'),
    response: key('response'),
    grant: key('grant'),
    proof: new Mac(key('proof')),
    session: key('session'),
  };
}

function requireLength(bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new RangeError(`expected ${String(length)} bytes`);
}
