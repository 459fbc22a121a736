import type { Daemon } from '../../support/machine.ts';
import { until } from '../../support/netns.ts';

/**
 * Waits until a daemon has written a text so many times.
 * @throws {Error} with all that it wrote when it ends instead
 */
export async function says(daemon: Daemon, text: string, times = 1): Promise<void> {
  await until(() => {
    if (daemon.hasEnded) throw new Error(`it ended:\n${daemon.log}`);
    return countIn(daemon, text) >= times;
  }, `'${text}' from a daemon`);
}

/** How many times a daemon has written a text. */
export function countIn(daemon: Daemon, text: string): number {
  return daemon.log.split(text).length - 1;
}
