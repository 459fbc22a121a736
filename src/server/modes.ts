import type { PeerName } from '../units/names.ts';
import { startCertificateMode } from './certificate-mode.ts';
import { startFlowKeeper } from './flow-keeper.ts';
import { startFwknop } from './fwknop.ts';
import type { Mode, ModeContext, StartMode } from './mode.ts';
import { startSequenceMode } from './sequence/sequence-mode.ts';
import { startShield } from './shield.ts';
import { startSilentMode } from './silent/silent-mode.ts';
import { startSknock } from './sknock.ts';
import { startWorkers } from './workers.ts';

/** All there are, in the order in which they start. */
export const knownModes: readonly StartMode[] = [
  startShield,
  startFlowKeeper,
  startSequenceMode,
  startFwknop,
  startSilentMode,
  startCertificateMode,
  startSknock,
  startWorkers,
];

/**
 * Starts all modes that the folder asks for.
 * @throws {HknockError} of the first that cannot start; the others have been stopped then
 */
export async function startModes(
  modes: readonly StartMode[],
  context: ModeContext,
): Promise<readonly Mode[]> {
  const started: Mode[] = [];
  try {
    for (const start of modes) {
      const mode = await start(context);
      if (mode !== null) started.push(mode);
    }
    return started;
  } catch (fault) {
    await stopModes(started);
    throw fault;
  }
}

/** Makes strangers of peers in those modes that let them in without asking policy. */
export async function forgetPeers(
  modes: readonly Mode[],
  revoked: readonly { readonly name: PeerName }[],
): Promise<void> {
  const names = new Set(revoked.map(({ name }) => name));
  if (names.size > 0) for (const mode of modes) await mode.forget?.(names);
}

/** Stops modes, the last to start first. */
export async function stopModes(modes: readonly Mode[]): Promise<void> {
  for (const mode of [...modes].reverse()) await mode.stop();
}
