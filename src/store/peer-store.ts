import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PEER_TAG_LENGTH, SECRET_LENGTH, TOTP_SECRET_LENGTH } from '../bytes/key-lengths.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';
import type { Entropy } from '../host/entropy.ts';
import { type PeerName, parsePeerName, type ServiceName } from '../units/names.ts';
import { whileAlone } from './folder-lock.ts';
import { newFwknopKeys } from './fwknop-key-text.ts';
import { formatTag } from './key-text.ts';
import {
  decodePeer,
  encodePeer,
  type PeerKeys,
  type PeerRecord,
  replacePeerKeys,
} from './peer-file.ts';
import {
  createPrivateFile,
  readPrivateFile,
  refuseOpenFolder,
  replacePrivateFile,
  syncDirectory,
  writeFault,
} from './private-file.ts';

/** What an operator says about a new peer; what is null is left to the service and the policy. */
export type PeerRequest = Omit<PeerRecord, Exclude<keyof PeerKeys, 'fwknop'>> & {
  /** Whether it may knock by sequences too; not, if not said. */
  readonly withTotp?: boolean;
  /** Whether it gets keys of fwknop; those that it brings, if not said. */
  readonly withFwknop?: boolean;
};

/** Files that are read at once: enough to keep the disk busy, far below the limit on open files. */
const READ_AT_ONCE = 64;

/** The peers of a server: one file `NAME.toml` each, mode 0600, in a folder of their own. */
export class PeerStore {
  readonly #directory: string;

  /** @param serverDirectory the server's folder, in which `peers` lies */
  constructor(serverDirectory: string) {
    this.#directory = join(serverDirectory, 'peers');
  }

  /**
   * Every peer, in order of name. Names that begin with a dot or do not end in `.toml` are none of ours.
   * @param known the services that there are; a peer that names another one is an error. Null: not checked
   * @throws {HknockError} `config` when a file is wrong or open to others, or two have the same tag
   */
  async list(known: ReadonlySet<ServiceName> | null = null): Promise<readonly PeerRecord[]> {
    await refuseOpenFolder(this.#directory, `mkdir -m 700 ${this.#directory}`);
    const names = (await this.#fileNames()).map((file) => this.#nameOf(file)).sort();
    const peers: PeerRecord[] = [];
    for (let at = 0; at < names.length; at += READ_AT_ONCE) {
      const batch = names.slice(at, at + READ_AT_ONCE);
      peers.push(...(await Promise.all(batch.map((name) => this.#read(name, known)))));
    }
    this.#refuseSharedTags(peers);
    return peers;
  }

  /**
   * The names of the peers that have a file, whatever stands in it.
   * @throws {HknockError} `config` when the folder cannot be listed
   */
  async names(): Promise<ReadonlySet<string>> {
    await refuseOpenFolder(this.#directory, `mkdir -m 700 ${this.#directory}`);
    return new Set((await this.#fileNames()).map((file) => file.slice(0, -'.toml'.length)));
  }

  /**
   * One peer.
   * @throws {HknockError} `usage` when there is none of that name, `config` when its file is wrong or open to others
   */
  async get(name: PeerName): Promise<PeerRecord> {
    await this.#requirePeer(name);
    return this.#read(name, null);
  }

  /**
   * Makes a peer with a fresh tag and secret.
   * @throws {HknockError} `usage` when there is one of that name, `host` when its file cannot be written
   */
  async add(request: PeerRequest, entropy: Entropy): Promise<PeerRecord> {
    const { withTotp = false, withFwknop = false, ...rest } = request;
    const fwknop = withFwknop ? { fwknop: newFwknopKeys(entropy) } : {};
    const peer = { ...rest, ...newKeys(entropy, withTotp), ...fwknop };
    try {
      await createPrivateFile(this.#pathOf(peer.name), encodePeer(peer), { forFolderOwner: true });
    } catch (error) {
      if (!(error instanceof HknockError) || error.code !== 'usage') throw error;
      throw new HknockError('usage', `there is a peer '${peer.name}' already`, {
        hint: `take another name, or give it new keys: hknock peer rotate ${peer.name}`,
        cause: error,
      });
    }
    return peer;
  }

  /**
   * Takes a peer away. Its file is deleted and not put aside: a secret that is kept is a secret that can leak.
   * A file that cannot be read any more is taken away as well.
   * @throws {HknockError} `usage` when there is none of that name, `host` when the system refuses
   */
  async revoke(name: PeerName): Promise<void> {
    await this.#whileAlone(name, async () => {
      try {
        await rm(this.#pathOf(name));
        await syncDirectory(this.#directory);
      } catch (error) {
        throw writeFault(this.#pathOf(name), error);
      }
    });
  }

  /**
   * Gives a peer fresh keys in place of its old ones; all else in its file stays.
   * @param deliver is given the new keys before the old ones are gone; when it fails nothing has changed
   * @throws {HknockError} as {@link get}, and `host` when its file cannot be written
   */
  async rotate(
    name: PeerName,
    entropy: Entropy,
    deliver: (peer: PeerRecord) => Promise<void> = () => Promise.resolve(),
  ): Promise<PeerRecord> {
    return this.#whileAlone(name, async () => {
      const file = this.#pathOf(name);
      const content = await readPrivateFile(file, { content: 'secret' });
      const before = decodePeer(content, name, { file, known: null });
      const { hmacType } = before.fwknop ?? {};
      const fwknop = hmacType && { fwknop: { ...newFwknopKeys(entropy), hmacType } };
      const peer = { ...before, ...newKeys(entropy, before.totp !== null), ...fwknop };
      await deliver(peer);
      await replacePrivateFile(file, replacePeerKeys(content, peer));
      return peer;
    });
  }

  /** Changes a peer. Without the lock new keys could put back the file of one who is revoked meanwhile. */
  async #whileAlone<T>(name: PeerName, change: () => Promise<T>): Promise<T> {
    await this.#requirePeer(name);
    return whileAlone(this.#directory, async () => {
      await this.#requirePeer(name);
      return change();
    });
  }

  #pathOf(name: PeerName): string {
    return join(this.#directory, `${name}.toml`);
  }

  async #read(name: PeerName, known: ReadonlySet<ServiceName> | null): Promise<PeerRecord> {
    const file = this.#pathOf(name);
    return decodePeer(await readPrivateFile(file, { content: 'secret' }), name, { file, known });
  }

  async #fileNames(): Promise<readonly string[]> {
    const all = await readdir(this.#directory);
    return all.filter((name) => name.endsWith('.toml') && !name.startsWith('.'));
  }

  #nameOf(file: string): PeerName {
    try {
      return parsePeerName(file.slice(0, -'.toml'.length));
    } catch (error) {
      throw new HknockError(
        'config',
        `${join(this.#directory, file)}: its name is no peer's name`,
        {
          hint: "rename it to NAME.toml, NAME of letters, digits, '.', '_', '@' or '-'",
          cause: error,
        },
      );
    }
  }

  async #requirePeer(name: PeerName): Promise<void> {
    await refuseOpenFolder(this.#directory, `mkdir -m 700 ${this.#directory}`);
    try {
      await stat(this.#pathOf(name));
    } catch (error) {
      const missing = systemCode(error) === 'ENOENT';
      throw missing
        ? new HknockError('usage', `there is no peer '${name}'`, { hint: 'hknock peer list' })
        : new HknockError('config', `${this.#pathOf(name)} cannot be read`, { cause: error });
    }
  }

  #refuseSharedTags(peers: readonly PeerRecord[]): void {
    const holders = new Map<string, PeerName>();
    for (const { name, tag } of peers) {
      const holder = holders.get(formatTag(tag));
      if (holder !== undefined) {
        const [first, second] = [this.#pathOf(holder), this.#pathOf(name)];
        throw new HknockError('config', `${first} and ${second} have the same tag`, {
          hint: `give one of them new keys: hknock peer rotate ${name}`,
        });
      }
      holders.set(formatTag(tag), name);
    }
  }
}

function newKeys(entropy: Entropy, withTotp: boolean): PeerKeys {
  return {
    tag: entropy.bytes(PEER_TAG_LENGTH),
    secret: entropy.bytes(SECRET_LENGTH),
    totp: withTotp ? entropy.bytes(TOTP_SECRET_LENGTH) : null,
  };
}
