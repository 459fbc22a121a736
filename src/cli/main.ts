#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import { spreadSafetyNet } from './safety-net.ts';

const manifest = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

const program = new Command('hknock')
  .description('Knock, and a server that shows no open port lets you in, also from behind NAT.')
  .version(manifest.version)
  .option('--debug', 'show where an error came from')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride();

/** What adds each command. Only the one that is to run is loaded: it starts the sooner. */
const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  init: async () => (await import('./init.ts')).addInit,
  service: async () => (await import('./service.ts')).addService,
  peer: async () => (await import('./peer.ts')).addPeer,
  serve: async () => (await import('./serve.ts')).addServe,
  status: async () => (await import('./status.ts')).addStatus,
  grants: async () => (await import('./grants.ts')).addGrants,
  close: async () => (await import('./close.ts')).addClose,
  ca: async () => (await import('./ca.ts')).addCa,
  import: async () => (await import('./import.ts')).addImport,
  profiles: async () => (await import('./profiles.ts')).addProfiles,
  knock: async () => (await import('./knock.ts')).addKnock,
  connect: async () => (await import('./connect.ts')).addConnect,
  sequence: async () => (await import('./sequence.ts')).addSequence,
  scheme: async () => (await import('./scheme.ts')).addScheme,
  doctor: async () => (await import('./doctor.ts')).addDoctor,
  lab: async () => (await import('./lab.ts')).addLab,
  completion: async () => (await import('./completion.ts')).addCompletion,
};

// no option of the program takes a value; help and completion tell of every command
const word = process.argv.slice(2).find((each) => !each.startsWith('-'));
const all = Object.entries(commands);
const named = all.filter(([name]) => name === word && name !== 'completion');
for (const [, load] of named.length > 0 ? named : all) (await load())(program);

const isDebug = (): boolean => program.opts<{ debug?: true }>().debug === true;
spreadSafetyNet(isDebug);
try {
  await program.parseAsync();
} catch (fault) {
  process.exitCode = exitCodeOf(fault);
}

function exitCodeOf(fault: unknown): number {
  // commander has told the user already; its own codes are 0 for help and version, else 1
  if (fault instanceof CommanderError) return fault.exitCode === 0 ? 0 : exitCodes.usage;
  return reportFailure(fault, { debug: isDebug() });
}
