import { expectedSeconds } from '../guessing.ts';
import { worstOf } from '../judge.ts';
import { type Answer, isFailure } from '../run-table.ts';

/** What a program reads of a cell. */
export function cellJson(answer: Answer): object {
  const { scheme, attacker } = answer;
  const where = { scheme: scheme.name, attacker: attacker.name };
  if (isFailure(answer)) return { ...where, failed: answer.fault };
  const { expectation, outcome, isAsExpected, tallies, guessed, elapsedMs } = answer;
  return {
    ...where,
    outcome,
    ...(expectation.outcome !== 'any' && { expected: expectation, isAsExpected }),
    attacks: tallies.map((tally) => ({ ...tally, odds: worstOf([tally])?.odds })),
    ...(guessed && {
      guessing: {
        ...guessed,
        oneIn: String(guessed.oneIn),
        expectedSeconds: expectedSeconds(guessed),
      },
    }),
    elapsedMs: Math.round(elapsedMs),
  };
}
