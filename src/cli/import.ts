import type { Command } from 'commander';
import type { Prefix } from '../units/network.ts';
import { expectOption } from './options.ts';
import { print, tell } from './terminal.ts';

/** `hknock import` */
export function addImport(program: Command): void {
  program
    .command('import')
    .description('Keeps the profile that the operator of a server made for you.')
    .argument(
      '<source>',
      "the profile's file, or its enrolment URI (hknock://...); '-' reads the URI from standard input",
    )
    .option('--name <hostname>', 'what to call the server')
    .addOption(expectOption())
    .option('--replace', 'in place of another profile of that name')
    .addHelpText('after', '\nExample:\n  hknock import alice.profile.toml --name office')
    .action(importProfile);
}

async function importProfile(
  source: string,
  { name, replace, expect }: { name?: string; replace?: true; expect?: readonly Prefix[] },
): Promise<void> {
  const { ProfileStore } = await import('../store/profile-store.ts');
  const { renameProfile } = await import('../store/profile.ts');
  const profile = await read(source);
  const named = name === undefined ? profile : renameProfile(profile, name);
  const kept = expect === undefined ? named : { ...named, expect };
  const saved = await new ProfileStore().save(kept, { replace: replace === true });
  print(kept.name);
  tell(saved === 'unchanged' ? 'it was there already' : `next: hknock connect ${kept.name}`);
}

async function read(source: string) {
  const { isEnrolmentUri, parseEnrolmentUri } = await import('../store/enrolment-uri.ts');
  if (source === '-') {
    const { text } = await import('node:stream/consumers');
    return parseEnrolmentUri((await text(process.stdin)).trim());
  }
  if (isEnrolmentUri(source)) return parseEnrolmentUri(source);
  const { readProfileFile } = await import('../store/profile-file.ts');
  return readProfileFile(source);
}
