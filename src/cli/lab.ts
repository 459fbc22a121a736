import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { HknockError } from '../errors/hknock-error.ts';
import type { Question } from '../lab/run-cell.ts';
import type { Answer } from '../lab/run-table.ts';
import { EXIT_BUG } from './exit-codes.ts';
import { jsonOption } from './options.ts';
import { SIGNALLED } from './run-command.ts';
import { formatTable, print, printJson, tell } from './terminal.ts';

interface LabOptions {
  readonly scheme?: string;
  readonly attacker?: string;
  readonly atOnce: number;
  readonly pcap?: string;
  readonly json?: true;
  readonly html?: string;
  readonly report?: string;
}

/** `hknock lab` */
export function addLab(program: Command): void {
  program
    .command('lab')
    .description(
      'Attacks ways of knocking in network namespaces, and compares who gets in with what is expected. Needs root; nothing leaves the namespaces.',
    )
    .option('--scheme <name>', 'only this way of knocking')
    .option('--attacker <name>', 'only this attacker: b1, a1, a1a2, a1a2a3, b2, nat or dos')
    .option('--at-once <number>', 'cells to run at a time', readCount, availableParallelism())
    .option('--pcap <dir>', 'keep what passes at each host there, and the keys')
    .addOption(jsonOption())
    .option('--report <dir>', 'put the report and the JSON in a folder: index.html and cells.json')
    .option(
      '--html <file>',
      'write a report with the packets of each cell, one file that needs no others',
    )
    .addHelpText(
      'after',
      `\nB1 knows how knocking is done here, and looks for the server; A1 records and sends again, A2 changes and keeps back, A3 sends and
receives for any address, B2 was a client until it was shut out; a neighbour has the client's address, and DoS-knocking keeps the client out. Exit code ${String(EXIT_BUG)}: something was not as expected.

Examples:\n  hknock lab\n  hknock lab --scheme hknock-gate --attacker a1a2a3`,
    )
    .action(lab);
}

async function lab(options: LabOptions): Promise<void> {
  const { json, html, report } = options;
  if (process.getuid?.() !== 0) {
    throw new HknockError('host', 'the laboratory needs root, for network namespaces');
  }
  const questions = await ask(options);
  await removeWhenInterrupted();
  const { runTable } = await import('../lab/run-table.ts');
  const { complaints, tableRows } = await import('../lab/report/text.ts');
  const { cellJson } = await import('../lab/report/json.ts');
  const progress = new Progress(questions.length);
  const answers = await runTable(questions, {
    atOnce: options.atOnce,
    pcap: options.pcap,
    onAnswer: (answer) => {
      progress.tell(answer);
    },
  });
  progress.end();
  if (json) printJson(answers.map(cellJson));
  else print(formatTable(tableRows(answers)));
  if (html !== undefined) await writeReport(html, answers);
  if (report !== undefined) await fillFolder(report, answers);
  const wrong = complaints(answers);
  wrong.forEach(tell);
  if (wrong.length > 0) process.exitCode = EXIT_BUG;
}

async function fillFolder(folder: string, answers: readonly Answer[]): Promise<void> {
  const { mkdir } = await import('node:fs/promises');
  const { cellJson } = await import('../lab/report/json.ts');
  await mkdir(folder, { recursive: true }).catch(cannotWrite(folder));
  await write(join(folder, 'cells.json'), `${JSON.stringify(answers.map(cellJson), null, 2)}\n`);
  await writeReport(join(folder, 'index.html'), answers);
}

async function writeReport(path: string, answers: readonly Answer[]): Promise<void> {
  const { renderReport } = await import('../lab/report/html.ts');
  await write(path, renderReport(answers, new Date()));
  tell(`the report is in ${path}`);
}

async function write(path: string, text: string): Promise<void> {
  const { writeFile } = await import('node:fs/promises');
  await writeFile(path, text).catch(cannotWrite(path));
}

function cannotWrite(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new HknockError('host', `${path} cannot be written`, { cause });
  };
}

/** The cells that are wanted. @throws {HknockError} `usage` for a name that there is not, `host` when a program is missing */
async function ask({ scheme, attacker, pcap }: LabOptions): Promise<readonly Question[]> {
  const { attackers } = await import('../lab/model.ts');
  const { schemes } = await import('../lab/schemes/all.ts');
  const { missingPrograms } = await import('../lab/programs.ts');
  const wanted = named(schemes, scheme);
  const needed = wanted.flatMap(({ programs }) => programs);
  const missing = missingPrograms(pcap === undefined ? needed : [...needed, 'tcpdump']);
  if (missing.length > 0) {
    throw new HknockError('host', `not installed: ${missing.join(', ')}`, {
      hint: 'on Debian: apt-get install nftables iproute2 procps iptables knockd fwknop-client fwknop-server tcpdump',
    });
  }
  return wanted.flatMap((each) =>
    named(attackers, attacker).map((who) => ({ scheme: each, attacker: who })),
  );
}

function named<T extends { readonly name: string }>(
  all: readonly T[],
  name: string | undefined,
): readonly T[] {
  const found = all.filter((each) => name === undefined || each.name === name);
  if (found.length > 0) return found;
  throw new HknockError('usage', `there is no '${name ?? ''}'`, {
    hint: `there are: ${all.map((each) => each.name).join(', ')}`,
  });
}

async function removeWhenInterrupted(): Promise<void> {
  const { removeCells } = await import('../lab/run-cell.ts');
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.once(signal, () => {
      void removeCells().finally(() => process.exit(SIGNALLED + number));
    });
  }
}

const BAR_LENGTH = 30;

/** How far the run is, on one line of a terminal. */
class Progress {
  readonly #all: number;
  #done = 0;

  constructor(all: number) {
    this.#all = all;
    this.#draw('');
  }

  tell({ scheme, attacker }: Answer): void {
    this.#done++;
    this.#draw(`${scheme.name}, ${attacker.title}`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }

  #draw(last: string): void {
    if (!process.stderr.isTTY) return;
    const full = Math.round((BAR_LENGTH * this.#done) / this.#all);
    const bar = `${'#'.repeat(full)}${'.'.repeat(BAR_LENGTH - full)}`;
    process.stderr.write(
      `\r\u001b[K[${bar}] ${String(this.#done)}/${String(this.#all)} ${last}`.slice(0, 100),
    );
  }
}

function readCount(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected 1 to 99');
}
