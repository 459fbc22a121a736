import type { Command } from 'commander';
import type { Note } from '../config/fwknop/stanza.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { formatServicePort } from '../units/network.ts';
import { parseServiceName, type ServiceName } from '../units/names.ts';
import { type KeepOptions, keepProfile } from './keep-profile.ts';
import { commaSeparated, directoryOf, dirOption, expectOption } from './options.ts';
import { print, tell } from './terminal.ts';

interface FwknopOptions extends KeepOptions {
  readonly dir?: string;
  readonly service?: readonly ServiceName[];
}

/** `hknock import fwknop` */
export function addImportFwknop(command: Command): void {
  command
    .command('fwknop')
    .description(
      'On a server: makes peers of the stanzas of an access.conf. On a client: keeps those of a .fwknoprc as profiles. Says line by line what has no counterpart.',
    )
    .argument('<file>', 'usually /etc/fwknop/access.conf or ~/.fwknoprc')
    .option(
      '--service <names>',
      'what stanzas of an access.conf may open that have no OPEN_PORTS, with commas',
      commaSeparated(parseServiceName),
    )
    .option('--name <hostname>', 'what to call the server of a .fwknoprc with one stanza')
    .addOption(expectOption())
    .option('--replace', 'in place of another profile of that name')
    .addOption(dirOption())
    .addHelpText(
      'after',
      '\nExamples:\n  hknock import fwknop /etc/fwknop/access.conf\n  hknock import fwknop ~/.fwknoprc',
    )
    .action(importFwknop);
}

async function importFwknop(file: string, _own: object, command: Command): Promise<void> {
  // what 'hknock import' has too is read by that, wherever it stands
  const options = command.optsWithGlobals<FwknopOptions>();
  const { readPrivateFile } = await import('../store/private-file.ts');
  const { isRcText } = await import('../config/fwknop/rc-file.ts');
  const text = await readPrivateFile(file, { content: 'secret', code: 'bad-input' });
  if (isRcText(text)) await keepStanzas(text, file, options);
  else await makePeers(file, options);
}

async function keepStanzas(
  text: string,
  file: string,
  { name, replace, expect }: FwknopOptions,
): Promise<void> {
  const { carryOverRc } = await import('../config/fwknop/rc-file.ts');
  const { nothingCarried } = await import('../config/fwknop/nothing-carried.ts');
  const { notes, profiles } = carryOverRc(text, file);
  if (profiles.length === 0) throw nothingCarried(file, notes);
  if (name !== undefined && profiles.length > 1) {
    throw new HknockError('usage', `${file} has several stanzas: --name is for one`);
  }
  tellNotes(notes);
  for (const profile of profiles) await keepProfile(profile, { name, replace, expect });
}

async function makePeers(
  file: string,
  { service: services = [], ...options }: FwknopOptions,
): Promise<void> {
  const { importAccessFile } = await import('../config/fwknop/import-access.ts');
  const { createSystemEntropy } = await import('../system/entropy.ts');
  const { createSystemClock } = await import('../system/clock.ts');
  const directory = directoryOf(options);
  const carried = await importAccessFile(file, directory, {
    services,
    entropy: createSystemEntropy(),
    unixMs: createSystemClock().unixMs(),
  });
  tellNotes(carried.notes);
  for (const { name } of carried.peers) print(name);
  for (const [name, port] of carried.services) {
    tell(
      `service '${name}' is new: ${formatServicePort(port)} will be shut to all without a grant`,
    );
  }
  tell('a packet opens for one connection, unless the service\'s admission is "address"');
  if (!carried.isOn) tell('next: enabled = true in hknock.toml, [fwknop]');
  tell('next: hknock doctor, then start the server, or send it SIGHUP');
}

function tellNotes(notes: readonly Note[]): void {
  for (const { file, line, sentence } of notes) tell(`${file}:${String(line)}: ${sentence}`);
}
