import { ascii, toHex } from '../../bytes/bytes.ts';
import { hkdfExpand } from '../../crypto/kdf.ts';
import type { GateKey } from '../../host/firewall.ts';

const IDENTITY_LABEL = ascii('hknock/1 gate identity');
const KEY_LABEL = ascii('hknock/1 gate key');

/** Bytes of the identity before it is written in hexadecimal. */
const IDENTITY_LENGTH = 16;

/** The external PSK of one grant (gate.md, section 2). Neither part tells anything about the other, or about the peer. */
export function gateKey(sessionSecret: Uint8Array): GateKey {
  return { identity: gateIdentity(sessionSecret), key: hkdfExpand(sessionSecret, KEY_LABEL) };
}

/** The name alone under which it is offered. */
export function gateIdentity(sessionSecret: Uint8Array): string {
  return toHex(hkdfExpand(sessionSecret, IDENTITY_LABEL).subarray(0, IDENTITY_LENGTH));
}
