import { HknockError } from '../../errors/hknock-error.ts';
import type { Note } from './stanza.ts';

/** The fault of a file of which nothing can be carried over, with what is wrong with each line. */
export function nothingCarried(file: string, notes: readonly Note[]): HknockError {
  const lines = notes.map((each) => `${each.file}:${String(each.line)}: ${each.sentence}`);
  return new HknockError('bad-input', [`${file} has no stanza to carry over`, ...lines].join('\n'));
}
