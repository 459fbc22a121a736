import { setTimeout as sleep } from 'node:timers/promises';

/** A knock is whole when nothing more has come for so long; and if none comes, it is waited for so long. */
const QUIET_MS = 200;
const PATIENCE_MS = 5000;

/** Waits until a list has something in it and has stopped to grow; not for ever. */
export async function whenQuiet(list: { readonly length: number }): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (let seen = 0; performance.now() < end;) {
    await sleep(QUIET_MS);
    if (list.length > 0 && list.length === seen) return;
    seen = list.length;
  }
}
