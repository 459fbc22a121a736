import test from 'ava';
import type { Owner } from './netns.ts';

/**
 * One of something for all the tests of the file that calls this, made when the first of them asks for it; it ends with them. They run
 * one after the other then, and none may mind what another has left there.
 */
export function forFile<T>(make: (owner: Owner) => Promise<T>): () => Promise<T> {
  const undoing: (() => unknown)[] = [];
  let made: Promise<T> | null = null;
  test.after.always(async () => {
    for (const undo of undoing.reverse()) await undo();
  });
  return () => (made ??= make({ teardown: (undo) => void undoing.push(undo) }));
}
