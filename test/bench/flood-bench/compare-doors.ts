import type { Door, Holdings } from './soak-program.ts';

/** By so much the clocks of the client and the kernel, and the time between two looks, may make them differ. */
const SLACK_MS = 1200;

/** How what a client was told differs from what the kernel holds. */
export interface Difference {
  /** Of the grants that the client was told of, those that do not end just now. */
  readonly compared: number;
  /** Of these, how many the kernel does not have. */
  readonly lost: number;
  /** Doors of the kernel's that the client was not told of. */
  readonly tooMany: number;
}

/** Compares them at a time; doors that end about then are passed over. */
export function compareDoors(
  { held, unknown }: Pick<Holdings, 'held' | 'unknown'>,
  kernel: readonly Door[],
  now: number,
): Difference {
  const lasting = (doors: readonly Door[]): readonly number[] =>
    doors.filter(({ endsAt }) => endsAt > now + SLACK_MS).map(({ port }) => port);
  const told = new Set([...held.map(({ port }) => port), ...unknown]);
  const open = new Set(kernel.map(({ port }) => port));
  return {
    compared: lasting(held).length,
    lost: lasting(held).filter((port) => !open.has(port)).length,
    tooMany: lasting(kernel).filter((port) => !told.has(port)).length,
  };
}
