import { ascii } from '../bytes/bytes.ts';
import { PEER_TAG_LENGTH, RESPONDER_ID_LENGTH } from '../bytes/key-lengths.ts';
import { hkdfExpand, hkdfExtract } from '../crypto/kdf.ts';
import type { Credential } from '../handshake/credential.ts';
import { deriveKeys, type HandshakeKeys } from '../handshake/keys.ts';

/**
 * What all holders of certificates begin with (certificate.md, section 2.1). It proves nothing about anyone: it keeps those out who
 * do not know the responder's public key.
 * @param responderPoint the responder's public key, 65 bytes
 */
export function lobbyKeys(responderPoint: Uint8Array): HandshakeKeys {
  return deriveKeys(lobbyCredential(responderPoint));
}

/** The same before its keys are derived from it. */
export function lobbyCredential(responderPoint: Uint8Array): Credential {
  const prk = hkdfExtract(ascii('hknock/1 certificate'), responderPoint);
  const part = (name: string, length: number): Uint8Array =>
    hkdfExpand(prk, ascii(`hknock/1 certificate ${name}`)).subarray(0, length);
  return {
    tag: part('tag', PEER_TAG_LENGTH),
    responderId: part('responder id', RESPONDER_ID_LENGTH),
    secret: part('lobby', 32),
  };
}
