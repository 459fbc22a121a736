import type { HknockError } from '../../errors/hknock-error.ts';
import { faultOfEnd } from './console.ts';
import { denied, parseFault } from './faults.ts';
import { runOnce } from './once.ts';

export interface Applying {
  /** The fault for commands that the kernel does not take; `said` is nft's line about it. */
  readonly refused: (said: string, cause: Error) => HknockError;
  /** Program and first arguments. */
  readonly nft?: readonly string[];
}

/**
 * Has the kernel take all commands or none.
 * @throws {HknockError} `host` when nft is missing or without privilege, or what `refused` makes
 */
export async function applyOnce(
  commands: readonly string[],
  { refused, nft = ['nft'] }: Applying,
): Promise<void> {
  const [program = 'nft', ...first] = nft;
  const args = [...first, '-f', '-'];
  const { stderr, cause } = await runOnce(program, args, `${commands.join('\n')}\n`);
  if (cause === null) return;
  const fault = parseFault(stderr);
  if (fault === null) throw faultOfEnd(cause);
  if (fault.kind === 'denied') throw denied(cause);
  throw refused(fault.message, cause);
}
