import type { attackers } from '../model.ts';
import type { Question } from '../run-cell.ts';
import { type Answer, isFailure, runTable, type TableOptions, workThrough } from '../run-table.ts';
import { enforcing, type OwnFolder } from './own-folder.ts';
import { ownScheme } from './own-scheme.ts';
import { CureFinder, type PartCure } from './cure.ts';
import { groupWays, type WayGroup, waysIn } from './ways.ts';

type LabAttacker = (typeof attackers)[number];

/** A way in, an attacker, what was seen, and what would stop him if he got in. */
export interface OwnAnswer {
  readonly group: WayGroup;
  readonly answer: Answer;
  /** For all services of the group; none when nothing has to stop him. */
  readonly cures: readonly PartCure[];
}

/** The ways into a configuration, as they are attacked. */
export function groupsOf(own: OwnFolder): readonly WayGroup[] {
  return groupWays(waysIn(own, enforcing(own.config).admissions));
}

/** A way in, to be attacked by somebody. */
export interface OwnQuestion {
  readonly group: WayGroup;
  readonly attacker: LabAttacker;
}

export interface ExamineOptions extends TableOptions {
  /** Told how many attackers got in, when all have tried. */
  readonly onFallen: (count: number) => void;
  /** Told of each of them that it is known what stops him, or that nothing does. */
  readonly onCure: () => void;
}

/** Attacks a copy of the configuration, and then copies that are changed in what may stop those who got in. */
export async function examineOwn(
  own: OwnFolder,
  questions: readonly OwnQuestion[],
  options: ExamineOptions,
): Promise<readonly OwnAnswer[]> {
  const asked = questions.map(({ group, attacker }): Question => ({
    scheme: ownScheme(own, group.attacked, group.name),
    attacker,
  }));
  const answers = await runTable(asked, options);
  const seen = questions.flatMap((question, at) => {
    const answer = answers[at];
    return answer === undefined ? [] : [{ ...question, answer }];
  });
  const finder = new CureFinder(own, seen);
  options.onFallen(seen.filter(({ answer }) => getsIn(answer)).length);
  return workThrough(seen, options.atOnce, async ({ group, attacker, answer }) => {
    if (!getsIn(answer)) return { group, answer, cures: [] };
    const cures = await finder.find(group, attacker);
    options.onCure();
    return { group, answer, cures };
  });
}

/** Whether the attacker succeeded, always or in some trials. */
export function getsIn(answer: Answer): boolean {
  return !isFailure(answer) && ['falls', 'races'].includes(answer.outcome);
}
