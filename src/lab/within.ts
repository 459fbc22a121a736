import { setTimeout as sleep } from 'node:timers/promises';

/** What comes of it, or 0 when it fails or takes longer. That alone keeps no program from its end. */
export function within(work: Promise<number>, ms: number): Promise<number> {
  return Promise.race([work.catch(() => 0), sleep(ms, 0, { ref: false })]);
}
