import { HknockError } from '../errors/hknock-error.ts';
import type { OwnQuestion } from '../lab/own/examine.ts';
import type { OwnFolder } from '../lab/own/own-folder.ts';
import { EXIT_BUG, EXIT_FOUND } from './exit-codes.ts';
import {
  keepReports,
  type LabOptions,
  named,
  removeWhenInterrupted,
  requirePrograms,
} from './lab-run.ts';
import { Progress } from './progress.ts';
import { formatTable, print, printJson } from './terminal.ts';

/** `hknock lab --config DIR` */
export async function labOwn(directory: string, options: LabOptions): Promise<void> {
  const { readOwnFolder } = await import('../lab/own/own-folder.ts');
  const { examineOwn, getsIn } = await import('../lab/own/examine.ts');
  const { ownJson, ownText, ownVerdict } = await import('../lab/report/own.ts');
  const { guessRows } = await import('../lab/report/guesses.ts');
  const { isFailure } = await import('../lab/run-table.ts');
  const own = await readOwnFolder(directory);
  const questions = await ask(own, options);
  await removeWhenInterrupted();
  let progress = new Progress(questions.length);
  const seen = await examineOwn(own, questions, {
    atOnce: options.atOnce,
    pcap: options.pcap,
    onAnswer: ({ scheme, attacker }) => {
      progress.tell(`${scheme.name}, ${attacker.title}`);
    },
    onFallen: (count) => {
      progress = new Progress(count);
    },
    onCure: () => {
      progress.tell('what stops it');
    },
  });
  progress.end();
  const answers = seen.map(({ answer }) => answer);
  const json = ownJson(own, seen);
  if (options.json) printJson(json);
  else printWith(ownText(own, seen), guessRows(answers));
  const html = async (): Promise<string> => {
    const { renderReport } = await import('../lab/report/html.ts');
    return renderReport(answers, new Date(), ownVerdict(own, seen));
  };
  await keepReports(options, { html, json });
  if (answers.some(getsIn)) process.exitCode = EXIT_FOUND;
  if (answers.some(isFailure)) process.exitCode = EXIT_BUG;
}

function printWith(text: string, rows: Parameters<typeof formatTable>[0]): void {
  print(rows.length === 0 ? text : `${text}\n\n${formatTable(rows)}`);
}

/** @throws {HknockError} `config` when there is no way in, `usage` for a name that there is not, `host` when a program is missing */
async function ask(own: OwnFolder, options: LabOptions): Promise<readonly OwnQuestion[]> {
  const { groupsOf } = await import('../lab/own/examine.ts');
  const { ownScheme } = await import('../lab/own/own-scheme.ts');
  const { attackers } = await import('../lab/model.ts');
  const all = groupsOf(own);
  if (all.length === 0) {
    throw new HknockError(
      'config',
      `nobody can get in by ${own.file}: there is nothing to attack`,
      {
        hint: 'hknock peer add NAME --service SERVICE; the laboratory attacks services with a TCP port',
      },
    );
  }
  const groups = named(all, options.scheme);
  const wanted = named(attackers, options.attacker);
  const schemes = groups.map(({ attacked, name }) => ownScheme(own, attacked, name));
  await requirePrograms(
    schemes.flatMap(({ programs }) => programs),
    options,
  );
  return groups.flatMap((group) => wanted.map((attacker) => ({ group, attacker })));
}
