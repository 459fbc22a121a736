import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { HknockError } from '../errors/hknock-error.ts';
import type { Question } from '../lab/run-cell.ts';
import { EXIT_BUG, EXIT_FOUND } from './exit-codes.ts';
import {
  keepReports,
  type LabOptions,
  named,
  removeWhenInterrupted,
  requirePrograms,
} from './lab-run.ts';
import { jsonOption } from './options.ts';
import { Progress } from './progress.ts';
import { formatTable, print, printJson, tell } from './terminal.ts';

/** A cell waits half its time for what does not come, so a processor has room for two. */
const CELLS_AT_ONCE = 2 * availableParallelism();

/** `hknock lab` */
export function addLab(program: Command): void {
  program
    .command('lab')
    .description(
      'Attacks ways of knocking in network namespaces, and compares who gets in with what is expected. Needs root; nothing leaves the namespaces.',
    )
    .option(
      '--config <dir>',
      "attack a copy of a server's own configuration, and say what stops those who get in",
    )
    .option('--scheme <name>', 'only this way of knocking')
    .option('--attacker <name>', 'only this attacker: b1, a1, a1a2, a1a2a3, b2, nat or dos')
    .option('--at-once <number>', 'cells to run at a time', readCount, CELLS_AT_ONCE)
    .option('--pcap <dir>', 'keep what passes at each host there, and the keys')
    .addOption(jsonOption())
    .option('--report <dir>', 'put the report and the JSON in a folder: index.html and cells.json')
    .option(
      '--html <file>',
      'write a report with the packets of each cell, one file that needs no others',
    )
    .addHelpText(
      'after',
      `\nB1 knows how knocking is done here, looks for the server, and guesses; A1 records and sends again, A2 changes and keeps back, A3 sends and
receives for any address, B2 was a client until it was shut out; a neighbour has the client's address, and DoS-knocking keeps the client out. Exit code ${String(EXIT_BUG)}: something was not as expected.

With --config nothing is compared: it says by which ways of that server's folder (as for 'hknock serve --dir') which attackers get in, and
which setting stops them, after trying it. Nothing in the folder is changed. Exit code 0: none of them does; ${String(EXIT_FOUND)}: one does;
${String(EXIT_BUG)}: something could not be looked at; 78: the configuration is wrong.

Examples:\n  hknock lab\n  hknock lab --config /etc/hknock --attacker nat\n  hknock lab --scheme hknock-gate --attacker a1a2a3`,
    )
    .action(lab);
}

async function lab(options: LabOptions): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new HknockError('host', 'the laboratory needs root, for network namespaces');
  }
  if (options.config === undefined) return labAll(options);
  const { labOwn } = await import('./lab-config.ts');
  return labOwn(options.config, options);
}

async function labAll(options: LabOptions): Promise<void> {
  const questions = await ask(options);
  await removeWhenInterrupted();
  const { runTable } = await import('../lab/run-table.ts');
  const { complaints, tableRows } = await import('../lab/report/text.ts');
  const { guessRows } = await import('../lab/report/guesses.ts');
  const { cellJson } = await import('../lab/report/json.ts');
  const progress = new Progress(questions.length);
  const answers = await runTable(questions, {
    atOnce: options.atOnce,
    pcap: options.pcap,
    onAnswer: ({ scheme, attacker }) => {
      progress.tell(`${scheme.name}, ${attacker.title}`);
    },
  });
  progress.end();
  const json = answers.map(cellJson);
  if (options.json) printJson(json);
  else printTables([tableRows(answers), guessRows(answers)]);
  const html = async (): Promise<string> => {
    const { renderReport } = await import('../lab/report/html.ts');
    return renderReport(answers, new Date());
  };
  await keepReports(options, { html, json });
  const wrong = complaints(answers);
  wrong.forEach(tell);
  if (wrong.length > 0) process.exitCode = EXIT_BUG;
}

function printTables(tables: readonly Parameters<typeof formatTable>[0][]): void {
  print(
    tables
      .filter(({ length }) => length > 0)
      .map(formatTable)
      .join('\n\n'),
  );
}

/** The cells that are wanted. @throws {HknockError} `usage` for a name that there is not, `host` when a program is missing */
async function ask(options: LabOptions): Promise<readonly Question[]> {
  const { attackers } = await import('../lab/model.ts');
  const { schemes } = await import('../lab/schemes/all.ts');
  const wanted = named(schemes, options.scheme);
  await requirePrograms(
    wanted.flatMap(({ programs }) => programs),
    options,
  );
  return wanted.flatMap((each) =>
    named(attackers, options.attacker).map((who) => ({ scheme: each, attacker: who })),
  );
}

function readCount(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected 1 to 99');
}
