import { startsWith } from '../bytes/bytes.ts';
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
  /** Those whose tags begin alike stand together, which is nearly always one. */
  readonly #byTag = new Map<number, readonly Entry[]>();
  readonly #watchers = new Set<PeerWatcher>();

  add(name: PeerName, credential: Credential): void {
    this.#put(credential.tag, [new Entry(name, credential)]);
    for (const each of this.#watchers) each.added(name, credential);
  }

  /** Tells somebody of all who are there now, and of every change until that is taken back. */
  watch(watcher: PeerWatcher): { readonly end: () => void } {
    for (const { name, credential } of [...this.#byTag.values()].flat()) {
      watcher.added(name, credential);
    }
    this.#watchers.add(watcher);
    return { end: () => this.#watchers.delete(watcher) };
  }

  /** Forgets whoever has this tag: from now on it is a stranger, and gets silence. */
  remove(tag: Uint8Array): void {
    this.#put(tag, []);
    for (const each of this.#watchers) each.removed(tag);
  }

  /** The peer that a datagram says it is from; null for a stranger, for whom nothing is made. */
  find(datagram: Uint8Array): KnownPeer | null {
    const alike = this.#byTag.get(startOf(datagram));
    if (alike === undefined) return null;
    for (const entry of alike) if (startsWith(datagram, entry.credential.tag)) return entry;
    return null;
  }

  /** In place of whoever has the tag. */
  #put(tag: Uint8Array, entries: readonly Entry[]): void {
    const start = startOf(tag);
    const here = this.#byTag.get(start) ?? [];
    const others = here.filter(({ credential }) => !startsWith(tag, credential.tag));
    const alike = [...others, ...entries];
    if (alike.length === 0) this.#byTag.delete(start);
    else this.#byTag.set(start, alike);
  }
}

// 30 bits, of which the engine makes no object
function startOf(bytes: Uint8Array): number {
  return (at(bytes, 0) << 22) | (at(bytes, 1) << 14) | (at(bytes, 2) << 6) | (at(bytes, 3) >> 2);
}

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
