import type { Profile } from '../store/profile.ts';
import type { Prefix } from '../units/network.ts';
import { print, tell } from './terminal.ts';

/** How an imported profile is kept. */
export interface KeepOptions {
  readonly name?: string | undefined;
  readonly replace?: true | undefined;
  readonly expect?: readonly Prefix[] | undefined;
}

/** Keeps a profile in the user's store, and tells what it is called there. */
export async function keepProfile(
  profile: Profile,
  { name, replace, expect }: KeepOptions,
): Promise<void> {
  const { ProfileStore } = await import('../store/profile-store.ts');
  const { isForFwknopAlone, renameProfile } = await import('../store/profile.ts');
  const named = name === undefined ? profile : renameProfile(profile, name);
  const kept = expect === undefined ? named : { ...named, expect };
  const saved = await new ProfileStore().save(kept, { replace: replace === true });
  print(kept.name);
  const mode = isForFwknopAlone(kept) ? ' --mode fwknop' : '';
  tell(saved === 'unchanged' ? 'it was there already' : `next: hknock connect ${kept.name}${mode}`);
}
