import { spawn } from 'node:child_process';
import { HknockError } from '../../errors/hknock-error.ts';
import type { Clock } from '../../host/clock.ts';

export interface RunOptions {
  readonly clock: Clock;
  /** After this long the command and all that it has started in its process group are killed. */
  readonly timeLimitMs: number;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Runs an operator's command to its end. What it writes to standard error goes to ours. What it leaves running in the
 * background is not waited for.
 * @throws {HknockError} `firewall` when it cannot be started, takes too long, or ends with anything but 0
 */
export function run(
  argv: readonly string[],
  { clock, timeLimitMs, env }: RunOptions,
): Promise<void> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown): void => {
      reject(new HknockError('firewall', `${program} ${why}`, { cause }));
    };
    // a process group of its own, to be killed as a whole, and not to be ended by a Ctrl-C meant for us
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...env },
      detached: true,
    });
    const timer = clock.after(timeLimitMs, () => {
      killGroup(child.pid);
      fail(`took longer than ${String(timeLimitMs)} ms`);
    });
    child.once('error', (error) => {
      timer.cancel();
      fail('cannot be started', error);
    });
    child.once('exit', (code, signal) => {
      timer.cancel();
      if (code === 0) resolve();
      else fail(`ended with ${signal ?? String(code)}`);
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has just ended
  }
}
