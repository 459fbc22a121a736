import { worstOf } from '../judge.ts';
import { attackers, type Expectation, type Outcome, type Tally } from '../model.ts';
import { type Answer, isFailure } from '../run-table.ts';

/** The table as rows of columns, called as the options that choose them; what is not as expected has a `!`. */
export function tableRows(answers: readonly Answer[]): readonly (readonly string[])[] {
  const names = [...new Set(answers.map(({ scheme }) => scheme.name))];
  const shown = attackers.filter(({ name }) =>
    answers.some(({ attacker }) => attacker.name === name),
  );
  const head = ['', ...shown.map(({ name }) => name)];
  const rows = names.map((scheme) => [
    scheme,
    ...shown.map(({ name }) => {
      const answer = answers.find(
        (each) => each.scheme.name === scheme && each.attacker.name === name,
      );
      return answer === undefined ? '' : cellText(answer);
    }),
  ]);
  return [head, ...rows];
}

/** What was observed, in a few words. */
function cellText(answer: Answer): string {
  if (isFailure(answer)) return 'failed !';
  const { outcome, tallies, isAsExpected } = answer;
  return `${tallyText(outcome, tallies)}${isAsExpected ? '' : ' !'}`;
}

/** As a verb. */
export function outcomeText(outcome: Outcome): string {
  return outcome === 'unusable' ? 'cannot be used' : outcome;
}

/** A sentence for each cell that was not as it should be. */
export function complaints(answers: readonly Answer[]): readonly string[] {
  return answers.flatMap((answer) => {
    const where = `${answer.scheme.name}, ${answer.attacker.title}`;
    if (isFailure(answer)) return [`${where}: nothing to be seen: ${answer.fault}`];
    if (answer.isAsExpected) return [];
    const expected = expectationText(answer.expectation);
    return [`${where}: expected that it ${expected}, and it ${cellText(answer)}`];
  });
}

export function expectationText(expectation: Expectation): string {
  if (expectation.outcome === 'any') return 'does anything';
  if (expectation.outcome !== 'races') return outcomeText(expectation.outcome);
  const { low, high } = expectation.between;
  return `races at odds of ${percent(low)} to ${percent(high)} %`;
}

function tallyText(outcome: Outcome, tallies: readonly Tally[]): string {
  const worst = worstOf(tallies);
  if (worst === null || worst.tally.trials === 1) return outcome;
  const { tally, odds } = worst;
  const count = `${String(tally.successes)}/${String(tally.trials)}`;
  return `${outcome} ${count} (${percent(odds.low)}-${percent(odds.high)} %)`;
}

function percent(proportion: number): string {
  return (100 * proportion).toFixed(0);
}
