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
  return workThrough(questions, atOnce, async (question) => {
    const answer = await runCell(question, options).catch((fault: unknown) =>
      failureOf(question, fault),
    );
    onAnswer(answer);
    return answer;
  });
}

/** Does the same with each of some things, so many at a time, and gives what came of them in their order. */
export async function workThrough<T, R>(
  all: readonly T[],
  atOnce: number,
  work: (each: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const left = [...all.entries()];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [at, each] = next;
      results[at] = await work(each);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

export function isFailure(answer: Answer): answer is Failure {
  return 'fault' in answer;
}

function failureOf(question: Question, fault: unknown): Failure {
  return { ...question, fault: fault instanceof Error ? fault.message : String(fault) };
}
