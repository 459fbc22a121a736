import type { Command } from 'commander';
import { parsePeerName, type PeerName } from '../units/names.ts';
import { formatServicePort } from '../units/network.ts';
import { addImportCertificate } from './import-certificate.ts';
import { addImportFwknop } from './import-fwknop.ts';
import { type KeepOptions, keepProfile } from './keep-profile.ts';
import { argument, directoryOf, dirOption, expectOption } from './options.ts';
import { print, tell } from './terminal.ts';

/** `hknock import` */
export function addImport(program: Command): void {
  const command = program.command('import');
  addImportCertificate(command);
  addImportFwknop(command);
  command
    .description('Keeps the profile that the operator of a server made for you.')
    .argument(
      '<source>',
      "the profile's file, or its enrolment URI (hknock://...); '-' reads the URI from standard input",
    )
    .option('--name <hostname>', 'what to call the server')
    .addOption(expectOption())
    .option('--replace', 'in place of another profile of that name')
    .addHelpText('after', '\nExample:\n  hknock import alice.profile.toml --name office')
    .action(importProfile)
    .command('knockd')
    .description(
      'On a server: turns a knockd.conf into schemes of sequence mode, and says line by line what has no counterpart.',
    )
    .argument('<file>', 'usually /etc/knockd.conf')
    .requiredOption('--peer <name>', 'whose grants its knocks are', argument(parsePeerName))
    .addOption(dirOption())
    .addHelpText('after', '\nExample:\n  hknock import knockd /etc/knockd.conf --peer alice')
    .action(importKnockd);
}

async function importKnockd(
  file: string,
  { peer, ...options }: { readonly peer: PeerName; readonly dir?: string },
): Promise<void> {
  const { importKnockdFile } = await import('../config/knockd/import.ts');
  const { notes, schemes, services } = await importKnockdFile(file, directoryOf(options), peer);
  for (const { line, sentence } of notes) tell(`${file}:${String(line)}: ${sentence}`);
  for (const { name } of schemes) print(name);
  for (const [name, port] of services) {
    tell(`next: hknock service add ${name} ${formatServicePort(port)}`);
  }
  const names = schemes.map(({ name }) => `"${name}"`).join(', ');
  tell(`next: name them in hknock.toml, [sequence]: schemes = [${names}]`);
}

async function importProfile(
  source: string,
  { name, replace, expect }: KeepOptions,
): Promise<void> {
  await keepProfile(await read(source), { name, replace, expect });
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
