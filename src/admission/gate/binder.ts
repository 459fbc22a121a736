import { createHash } from 'node:crypto';
import { ascii, concat } from '../../bytes/bytes.ts';
import { hkdfExpand, hkdfExtract } from '../../crypto/kdf.ts';
import { equalConstantTime, Mac } from '../../crypto/mac.ts';
import type { PskHello } from './client-hello.ts';

const HASH_LENGTH = 32;

/** Whether whoever made this ClientHello holds the key (RFC 8446, section 4.2.11.2, for an external PSK and SHA-256). */
export function verifyBinder({ binder, truncated }: PskHello, key: Uint8Array): boolean {
  return equalConstantTime(binderKey(key).of(sha256(truncated)), binder);
}

/** RFC 8446, section 7.1: early secret, `ext binder`, finished key. */
function binderKey(psk: Uint8Array): Mac {
  const early = hkdfExtract(new Uint8Array(HASH_LENGTH), psk);
  const binder = expandLabel(early, 'ext binder', sha256(new Uint8Array()));
  return new Mac(expandLabel(binder, 'finished', new Uint8Array()));
}

/** HKDF-Expand-Label of RFC 8446, section 7.1, for 32 bytes. */
function expandLabel(secret: Uint8Array, label: string, context: Uint8Array): Uint8Array {
  const full = ascii(`tls13 ${label}`);
  const head = Uint8Array.of(0, HASH_LENGTH, full.length);
  return hkdfExpand(secret, concat(head, full, Uint8Array.of(context.length), context));
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
