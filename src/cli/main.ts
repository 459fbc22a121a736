#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addCa } from './ca.ts';
import { addClose } from './close.ts';
import { addCompletion } from './completion.ts';
import { addConnect } from './connect.ts';
import { addDoctor } from './doctor.ts';
import { exitCodes } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import { addGrants } from './grants.ts';
import { addImport } from './import.ts';
import { addInit } from './init.ts';
import { addKnock } from './knock.ts';
import { addLab } from './lab.ts';
import { addPeer } from './peer.ts';
import { addProfiles } from './profiles.ts';
import { addServe } from './serve.ts';
import { spreadSafetyNet } from './safety-net.ts';
import { addScheme } from './scheme.ts';
import { addSequence } from './sequence.ts';
import { addService } from './service.ts';
import { addStatus } from './status.ts';

const manifest = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

const program = new Command('hknock')
  .description('Knock, and a server that shows no open port lets you in, also from behind NAT.')
  .version(manifest.version)
  .option('--debug', 'show where an error came from')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride();

const add = [
  addInit,
  addService,
  addPeer,
  addServe,
  addStatus,
  addGrants,
  addClose,
  addCa,
  addImport,
  addProfiles,
  addKnock,
  addConnect,
  addSequence,
  addScheme,
  addDoctor,
  addLab,
  addCompletion,
];
for (const each of add) each(program);

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
