import type { Profile } from '../store/profile.ts';

/**
 * The profile for HOST: the one that `--profile` names, by name or as a file, or else the kept one of that name or that lists that host.
 * @throws {HknockError} `config` or `bad-input` when there is none
 */
export async function findProfile(host: string, named: string | undefined): Promise<Profile> {
  if (named?.includes('/') || named?.endsWith('.toml')) {
    const { readProfileFile } = await import('../store/profile-file.ts');
    return readProfileFile(named);
  }
  const { ProfileStore } = await import('../store/profile-store.ts');
  return new ProfileStore().find(named ?? host);
}

/** Which of a profile's hosts HOST asks for: undefined for all of them, when it is just the profile's name. */
export function hostWithin(profile: Profile, host: string): string | undefined {
  return host === profile.name ? undefined : host;
}
