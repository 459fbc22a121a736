import { access } from 'node:fs/promises';
import type { Command } from 'commander';
import { HknockError } from '../errors/hknock-error.ts';
import { type Finding, ok, warn } from '../units/finding.ts';
import { directoryOf, dirOption, jsonOption } from './options.ts';
import { formatTable, print, printJson } from './terminal.ts';

/** `hknock doctor` */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'Says what is missing or wrong on this machine and how to mend it. Changes nothing.',
    )
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  hknock doctor --dir /etc/hknock')
    .action(doctor);
}

async function doctor({ dir, json }: { dir?: string; json?: true }): Promise<void> {
  const findings = [...(await serverFindings(dir)), ...(await clientFindings())];
  const nothing = warn(
    'there is neither a server nor a profile here',
    "'hknock init' makes a server, 'hknock import FILE' keeps a profile",
  );
  const told = [
    ok(`Node ${process.versions.node}`),
    ...(findings.length === 0 ? [nothing] : findings),
  ];
  if (json) printJson(told);
  else print(formatTable(told.map(rowOf)));
  const failed = told.filter(({ level }) => level === 'fail').length;
  if (failed > 0) throw new HknockError('config', `${String(failed)} of these cannot work`);
}

/** A folder that somebody named must be there. */
async function serverFindings(dir: string | undefined): Promise<readonly Finding[]> {
  const directory = directoryOf({ dir });
  const isThere = await access(directory).then(
    () => true,
    () => false,
  );
  if (dir === undefined && !isThere) return [];
  const { examineServer } = await import('../server/doctor/doctor.ts');
  return examineServer(directory);
}

async function clientFindings(): Promise<readonly Finding[]> {
  const { examineClient } = await import('../client/doctor.ts');
  return examineClient();
}

function rowOf({ level, text, mend }: Finding): string[] {
  return [level, mend === undefined ? text : `${text}; mend: ${mend}`];
}
