import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { HknockError } from '../errors/hknock-error.ts';

/** What a shell says of a program that a signal ended: 128 and the signal's number. */
export const SIGNALLED = 128;

/** What a program is told beside its own environment. */
type Told = Readonly<Record<string, string>>;

/**
 * Runs a program in our place: same terminal, and its exit code in the end. Interrupts go to it, and we wait for what it makes of them.
 * @throws {HknockError} `usage` when it cannot be started
 */
export function runCommand(
  program: string,
  args: readonly string[],
  told: Told = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    let child: ChildProcess | null = null;
    const ignore = (): void => undefined;
    const passOn = (signal: NodeJS.Signals): void => {
      child?.kill(signal);
    };
    // the terminal sends SIGINT to the whole group, so the program has it already; SIGTERM comes to us alone. Before the
    // program is there: a signal in between would end us and leave it behind
    process.on('SIGINT', ignore).on('SIGTERM', passOn);
    child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...told } });
    child.once('error', (cause) => {
      reject(new HknockError('usage', `cannot run '${program}': ${cause.message}`, { cause }));
    });
    child.once('exit', (code, signal) => {
      process.off('SIGINT', ignore).off('SIGTERM', passOn);
      resolve(code ?? SIGNALLED + constants.signals[signal ?? 'SIGKILL']);
    });
  });
}
