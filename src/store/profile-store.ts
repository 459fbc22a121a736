import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';
import { whileAlone } from './folder-lock.ts';
import { parseHost } from './host-name.ts';
import { readPrivateFile, writeFault } from './private-file.ts';
import type { Profile } from './profile.ts';
import { parseProfile, type ProfileFields, profileFields } from './profile-fields.ts';
import { formatPath, type Trouble } from './toml/trouble.ts';

/** What became of a profile that was to be kept. */
export type Saved = 'added' | 'unchanged' | 'replaced';

/**
 * The folder in which the package `conf` keeps the settings of a program named hknock.
 * @throws {HknockError} `config` when nobody says where the user's home is
 */
export function profileDirectory(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const home = () => (env['HOME'] === undefined || env['HOME'] === '' ? systemHome() : env['HOME']);
  if (platform === 'darwin') return join(home(), 'Library', 'Preferences', 'hknock');
  if (platform === 'win32') {
    return join(env['APPDATA'] ?? join(home(), 'AppData', 'Roaming'), 'hknock', 'Config');
  }
  const folder = env['XDG_CONFIG_HOME'] ?? '';
  // a relative one is to be ignored (XDG Base Directory Specification)
  return join(isAbsolute(folder) ? folder : join(home(), '.config'), 'hknock');
}

/**
 * The client's profiles, in one file of mode 0600 that the package `conf` writes. It is read without the package:
 * reading happens at each connection, and loading the package takes longer than a knock.
 */
export class ProfileStore {
  readonly path: string;
  readonly #directory: string;

  constructor(directory: string = profileDirectory()) {
    this.#directory = directory;
    this.path = join(directory, 'config.json');
  }

  /**
   * Every profile, in the order in which they were added.
   * @throws {HknockError} `config` when the file is wrong or open to others
   */
  async list(): Promise<readonly Profile[]> {
    const content = await this.#read();
    if (content === null) return [];
    const stored = parseJson(content);
    if (stored === null) throw this.#fault('is not what hknock import writes');
    return stored.map((fields, at) =>
      parseProfile(fields, (troubles) => {
        throw this.#fault(describe(troubles, at));
      }),
    );
  }

  /**
   * The profile of that name, or else the one that lists that host name or address.
   * @throws {HknockError} `config` when there is none or there are several, or as {@link list}
   */
  async find(host: string): Promise<Profile> {
    const profiles = await this.list();
    const wanted = parseHost(host);
    const named = profiles.filter(({ name }) => name === host);
    const listing = profiles.filter(({ hosts }) => wanted !== null && hosts.includes(wanted));
    const matches = named.length > 0 ? named : listing;
    const [found, other] = matches;
    if (found === undefined) {
      throw new HknockError('config', `there is no profile for '${host}'`, {
        hint: 'see hknock profiles, or get one from the server: hknock import FILE',
      });
    }
    if (other === undefined) return found;
    const names = matches.map(({ name }) => name).join(', ');
    throw new HknockError('config', `several profiles list '${host}': ${names}`, {
      hint: 'choose one of them with --profile',
    });
  }

  /**
   * Keeps a profile under its name. One of that name that says something else is only overwritten with `replace`.
   * @throws {HknockError} `usage` when that would be needed, `host` when the file cannot be written, or as {@link list}
   */
  async save(profile: Profile, { replace = false } = {}): Promise<Saved> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw writeFault(this.path, error);
    });
    return whileAlone(this.#directory, () => this.#put(profile, replace));
  }

  async #put(profile: Profile, replace: boolean): Promise<Saved> {
    const profiles = await this.list();
    const old = profiles.find(({ name }) => name === profile.name);
    if (old !== undefined && isDeepStrictEqual(profileFields(old), profileFields(profile))) {
      return 'unchanged';
    }
    if (old !== undefined && !replace) {
      throw new HknockError('usage', `there is another profile named '${profile.name}'`, {
        hint: 'keep both with --name, or say that the new one replaces it',
      });
    }
    const next =
      old === undefined
        ? [...profiles, profile]
        : profiles.map((each) => (each === old ? profile : each));
    await this.#write(next);
    return old === undefined ? 'added' : 'replaced';
  }

  async #read(): Promise<string | null> {
    try {
      return await readPrivateFile(this.path, { content: 'secret' });
    } catch (error) {
      const cause = error instanceof HknockError ? error.cause : undefined;
      if (systemCode(cause) === 'ENOENT') return null;
      throw error;
    }
  }

  async #write(profiles: readonly Profile[]): Promise<void> {
    try {
      const { default: Conf } = await import('conf');
      const store = new Conf<{ profiles: readonly ProfileFields[] }>({
        cwd: this.#directory,
        configFileMode: 0o600,
        accessPropertiesByDotNotation: false,
      });
      store.set('profiles', profiles.map(profileFields));
    } catch (error) {
      throw writeFault(this.path, error);
    }
  }

  #fault(what: string): HknockError {
    return new HknockError('config', `${this.path}: ${what}`, {
      hint: 'mend it, or move it away and import your profiles again',
    });
  }
}

// the parser's own message would quote the text, secrets and all
function parseJson(content: string): readonly unknown[] | null {
  try {
    const stored: unknown = JSON.parse(content);
    if (typeof stored !== 'object' || stored === null) return null;
    const profiles: unknown = 'profiles' in stored ? stored.profiles : [];
    return Array.isArray(profiles) ? profiles : null;
  } catch {
    return null;
  }
}

function describe(troubles: readonly Trouble[], at: number): string {
  return troubles
    .map((trouble) => {
      const key = formatPath(['profiles', at, ...trouble.path]);
      return 'expected' in trouble ? `${key}: expected ${trouble.expected}` : `${key}: unknown key`;
    })
    .join('; ');
}

function systemHome(): string {
  try {
    return homedir();
  } catch (error) {
    throw new HknockError('config', 'nobody says where your home is', {
      hint: 'set HOME or XDG_CONFIG_HOME to a folder of yours',
      cause: error,
    });
  }
}
