import { PEER_TAG_LENGTH } from '../bytes/key-lengths.ts';
import type { PeerName } from '../units/names.ts';
import type { Credential } from './credential.ts';
import { deriveKeys, type HandshakeKeys } from './keys.ts';

/** A peer and the keys shared with it. */
export interface KnownPeer {
  readonly name: PeerName;
  readonly keys: HandshakeKeys;
}

interface Entry {
  readonly name: PeerName;
  readonly credential: Credential;
  /** Derived at the first datagram with this tag: a million peers then load without a million key schedules. */
  keys: HandshakeKeys | null;
}

/** Who may knock, found by the first 8 bytes of a datagram. */
export class PeerTable {
  readonly #byTag = new Map<string, Entry>();

  add(name: PeerName, credential: Credential): void {
    this.#byTag.set(tagOf(credential.tag), { name, credential, keys: null });
  }

  /** Forgets whoever has this tag: from now on it is a stranger, and gets silence. */
  remove(tag: Uint8Array): void {
    this.#byTag.delete(tagOf(tag));
  }

  /** The peer that a datagram says it is from; null for a stranger. */
  find(datagram: Uint8Array): KnownPeer | null {
    const entry = this.#byTag.get(tagOf(datagram));
    if (entry === undefined) return null;
    entry.keys ??= deriveKeys(entry.credential);
    return { name: entry.name, keys: entry.keys };
  }
}

// one character a byte: the shortest key that a map takes
function tagOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, PEER_TAG_LENGTH).toString('latin1');
}
