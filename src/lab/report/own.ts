import { attacks } from '../attacks/all.ts';
import { worstOf } from '../judge.ts';
import type { Tally } from '../model.ts';
import type { WayGroup } from '../own/ways.ts';
import type { Cure } from '../own/cure.ts';
import { getsIn, type OwnAnswer } from '../own/examine.ts';
import type { OwnFolder } from '../own/own-folder.ts';
import { replaced, unattacked } from '../own/stand-ins.ts';
import { listed, modeTitle, placeOf, settingText, wayTitle, whoseTitle } from '../own/words.ts';
import { isFailure } from '../run-table.ts';
import { cellJson } from './json.ts';
import type { Verdict } from './html.ts';

/** What was seen of an operator's own configuration, for people. */
export function ownText(own: OwnFolder, answers: readonly OwnAnswer[]): string {
  const groups = [...new Set(answers.map(({ group }) => group))];
  const of = (group: WayGroup): readonly OwnAnswer[] =>
    answers.filter((each) => each.group === group);
  const isSound = (group: WayGroup): boolean =>
    of(group).every(({ answer }) => !isFailure(answer) && answer.outcome === 'holds');
  const titleOf = ({ ways, attacked }: WayGroup): string =>
    `${whoseTitle(ways)}: ${wayTitle(attacked)}`;
  const others = groups.filter((group) => !isSound(group));
  return [
    `Attacked was a copy of ${own.file}.`,
    ...replaced(own).map((each) => `  ${each}`),
    ...others.flatMap((group) => [
      '',
      titleOf(group),
      ...linesOf(own, of(group), answers).map((each) => `  ${each}`),
    ]),
    ...chapter('Holds against all who tried:', groups.filter(isSound).map(titleOf)),
    ...chapter('Not attacked:', unattacked(own)),
  ].join('\n');
}

function chapter(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((each) => `  ${each}`)];
}

/** The same in short, for the head of the report. */
export function ownVerdict(own: OwnFolder, answers: readonly OwnAnswer[]): Verdict {
  const fallen = answers.filter(({ answer }) => getsIn(answer));
  const lines = fallen.map(
    (each) =>
      `${whoseTitle(each.group.ways)}: ${wayTitle(each.group.attacked)}. ${fallText(own, each, answers).join(' ')}`,
  );
  const sentence =
    lines.length === 0
      ? 'None of the attackers got the better of this configuration.'
      : `${String(lines.length)} of ${String(answers.length)} times an attacker got the better of this configuration:`;
  return { sentence, lines };
}

/** The same for programs. */
export function ownJson(own: OwnFolder, answers: readonly OwnAnswer[]): object {
  return {
    config: own.file,
    replaced: replaced(own),
    notAttacked: unattacked(own),
    cells: answers.map(({ group, answer, cures }) => ({
      ...cellJson(answer),
      mode: group.attacked.mode,
      admission: group.attacked.admission,
      for: group.ways.map(({ service, peer }) => ({ service, peer: peer?.name ?? null })),
      getsIn: getsIn(answer),
      stoppedBy: cures.map(({ part, cure }) => ({
        services: servicesOf(part),
        ...cureJson(own, cure),
      })),
    })),
  };
}

function cureJson(own: OwnFolder, cure: Cure | null): object {
  if (cure === null) return { settings: null };
  const { settings, lost, tried } = cure;
  return {
    settings: settings.map(({ path, value }) => ({
      path,
      value,
      line: placeOf({ path }, own.root).line,
    })),
    shutsOut: lost.map(({ mode, service, peer }) => ({ mode, service, peer: peer?.name ?? null })),
    tried: cellJson(tried),
  };
}

function servicesOf({ ways }: WayGroup): readonly string[] {
  return [...new Set(ways.map(({ service }) => service))];
}

function linesOf(
  own: OwnFolder,
  seen: readonly OwnAnswer[],
  all: readonly OwnAnswer[],
): readonly string[] {
  const fallen = seen.filter(({ answer }) => getsIn(answer));
  const failed = seen.flatMap(({ answer }) =>
    isFailure(answer) ? [`${answer.attacker.title}: nothing to be seen: ${answer.fault}`] : [],
  );
  return [
    ...fallen.flatMap((each) => {
      const [fall = '', ...further] = fallText(own, each, all);
      return [fall, ...further.map((line) => `  ${line}`)];
    }),
    ...sentence('Holds against', titlesOf(seen, 'holds')),
    ...sentence('Clients cannot use it where this attacker is', titlesOf(seen, 'unusable')),
    ...failed,
  ];
}

function sentence(what: string, titles: readonly string[]): readonly string[] {
  return titles.every((each) => each === '') ? [] : [`${what}: ${titles.join('; ')}.`];
}

function titlesOf(seen: readonly OwnAnswer[], outcome: 'holds' | 'unusable'): readonly string[] {
  return seen.flatMap(({ answer }) =>
    !isFailure(answer) && answer.outcome === outcome ? [answer.attacker.title] : [],
  );
}

/** What happened, and what can be done about it. */
function fallText(
  own: OwnFolder,
  { group, answer, cures }: OwnAnswer,
  all: readonly OwnAnswer[],
): readonly string[] {
  const worst = isFailure(answer) ? null : worstOf(answer.tallies);
  const what = worst === null ? '' : attackText(worst.tally);
  const told = cures.flatMap(({ part, cure }) => {
    const whom = cures.length > 1 ? `For ${listed(servicesOf(part))}: ` : '';
    const [first = '', ...further] = cure === null ? [INCURABLE] : cureText(own, cure);
    return [`${whom}${first}`, ...further];
  });
  const isCured = cures.every(({ cure }) => cure !== null);
  const better = isCured ? [] : betterThan(group, answer, all);
  return [
    `${answer.attacker.title}: ${what}`,
    ...told,
    ...sentence('As it is, what holds against this attacker', [listed(better, '; ')]),
  ];
}

const INCURABLE = 'No one setting that keeps this way open stops it.';

/** Other ways to the same services against which the same attacker has failed. */
function betterThan(
  { ways }: WayGroup,
  { attacker }: OwnAnswer['answer'],
  all: readonly OwnAnswer[],
): readonly string[] {
  const services = ways.map(({ service }) => service);
  return all.flatMap(({ group, answer }) =>
    answer.attacker === attacker &&
    !isFailure(answer) &&
    answer.outcome === 'holds' &&
    group.ways.some(({ service }) => services.includes(service))
      ? [wayTitle(group.attacked)]
      : [],
  );
}

/** `A neighbour … (3 of 3).` */
function attackText({ attack, successes, trials }: Tally): string {
  const success = attacks.find(({ name }) => name === attack)?.success ?? attack;
  return `${success.replace(/\.$/, '')} (${String(successes)} of ${String(trials)}).`;
}

function cureText(own: OwnFolder, { settings, lost, tried }: Cure): readonly string[] {
  const told = settings.map((setting) => settingText(setting, own.root));
  const trials = worstOf(tried.tallies)?.tally.trials ?? 0;
  const services = listed(lost.map(({ service }) => service));
  return [
    `What stops it${told.length > 1 ? ', together' : ''}: ${told.join('; ')}. Tried: it holds (${String(trials)} of ${String(trials)}).`,
    ...sentence(`With it nobody can open ${services} any more by`, [
      listed(lost.map(modeTitle), '; '),
    ]),
  ];
}
