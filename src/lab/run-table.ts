import { type Cell, type Question, runCell, type RunOptions } from './run-cell.ts';

/** A cell in which there was nothing to see, and why. */
export interface Failure extends Question {
  readonly fault: string;
}

export type Answer = Cell | Failure;

export interface TableOptions extends RunOptions {
  /** How many cells are run at a time. */
  readonly atOnce: number;
  readonly onAnswer: (answer: Answer) => void;
}

/** Runs cells, and gives what was seen in the order of the questions. */
export async function runTable(
  questions: readonly Question[],
  { atOnce, onAnswer, ...options }: TableOptions,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < questions.length; at = next++) {
      const question = questions[at];
      if (question === undefined) return;
      const answer = await runCell(question, options).catch((fault: unknown) =>
        failureOf(question, fault),
      );
      answers[at] = answer;
      onAnswer(answer);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return answers;
}

export function isFailure(answer: Answer): answer is Failure {
  return 'fault' in answer;
}

function failureOf(question: Question, fault: unknown): Failure {
  return { ...question, fault: fault instanceof Error ? fault.message : String(fault) };
}
