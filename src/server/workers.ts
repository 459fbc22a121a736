import { lobbyKeys } from '../certificate/lobby.ts';
import { pointOf } from '../crypto/p256.ts';
import type { Certificates } from './certificates.ts';
import { KnockWorkers } from './knock-workers.ts';
import type { Mode, StartMode } from './mode.ts';

/** Reads knocks in several threads, when the configuration wants more workers than the main thread. */
export const startWorkers: StartMode = async (context) => {
  const { folder, shared, flood, certificates, clock, log } = context;
  if (shared === null) return null;
  const threads = folder.config.server.workers - 1;
  const workers = await KnockWorkers.start({ ...shared, threads, flood, clock, log });
  await workers.leave(lobbyTags(certificates));
  return {
    name: 'workers',
    counters: () => workers.counters(),
    reload: () => workers.leave(lobbyTags(certificates)),
    stop: () => workers.stop(),
  } satisfies Mode;
};

/** Those who come with certificates share one tag; their public-key work is the examiners'. */
function lobbyTags(certificates: Certificates | null): readonly Uint8Array[] {
  return certificates === null ? [] : [lobbyKeys(pointOf(certificates.key)).tag];
}
