import { latin1 } from '../bytes/bytes.ts';
import { PEER_TAG_LENGTH } from '../bytes/key-lengths.ts';
import type { PeerName } from '../units/names.ts';
import type { Credential } from './credential.ts';
import { deriveKeys, type HandshakeKeys } from './keys.ts';

/** A peer and the keys shared with it. */
export interface KnownPeer {
  readonly name: PeerName;
  readonly keys: HandshakeKeys;
}

/** Keys are derived at the first datagram with this tag: a million peers then load without a million key schedules. */
class Entry implements KnownPeer {
  readonly name: PeerName;
  readonly credential: Credential;
  #keys: HandshakeKeys | null = null;

  constructor(name: PeerName, credential: Credential) {
    this.name = name;
    this.credential = credential;
  }

  get keys(): HandshakeKeys {
    return (this.#keys ??= deriveKeys(this.credential));
  }
}

/** Who is told of a change at once. */
export interface PeerWatcher {
  added(name: PeerName, credential: Credential): void;
  removed(tag: Uint8Array): void;
}

/** Who may knock, found by the first 8 bytes of a datagram. */
export class PeerTable {
  readonly #byTag = new Map<string, Entry>();
  readonly #watchers = new Set<PeerWatcher>();

  add(name: PeerName, credential: Credential): void {
    this.#byTag.set(tagOf(credential.tag), new Entry(name, credential));
    for (const each of this.#watchers) each.added(name, credential);
  }

  /** Tells somebody of all who are there now, and of every change until that is taken back. */
  watch(watcher: PeerWatcher): { readonly end: () => void } {
    for (const { name, credential } of this.#byTag.values()) watcher.added(name, credential);
    this.#watchers.add(watcher);
    return { end: () => this.#watchers.delete(watcher) };
  }

  /** Forgets whoever has this tag: from now on it is a stranger, and gets silence. */
  remove(tag: Uint8Array): void {
    this.#byTag.delete(tagOf(tag));
    for (const each of this.#watchers) each.removed(tag);
  }

  /** The peer that a datagram says it is from; null for a stranger. */
  find(datagram: Uint8Array): KnownPeer | null {
    return this.#byTag.get(tagOf(datagram)) ?? null;
  }
}

function tagOf(bytes: Uint8Array): string {
  return latin1(bytes, 0, PEER_TAG_LENGTH);
}
