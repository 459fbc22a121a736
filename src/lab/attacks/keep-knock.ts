import type { Packet } from '../packet.ts';
import { ControlFailed, type Scene } from '../scene.ts';
import { whenQuiet } from '../when-quiet.ts';
import { withoutRepetitions } from './without-repetitions.ts';

interface Kept {
  /** What of the client's knock proves something. */
  readonly kept: readonly Packet[];
  /** The client, who waits to be let in: the number of its connection, or 0. */
  readonly trying: Promise<number>;
}

/** Has the client knock and keeps its proof from the server, until all may pass again. */
export async function keepKnock(scene: Scene): Promise<Kept> {
  const proofs: Packet[] = [];
  await scene.intercept((packet) => {
    if (scene.isProof(packet)) proofs.push(packet);
    return scene.isProof(packet) || scene.isOfConnection(packet) ? [] : [packet];
  });
  const trying = scene.clientTries();
  trying.catch(() => undefined); // nobody may wait for the client any more
  await whenQuiet(proofs);
  if (proofs.length === 0) throw new ControlFailed('the client has sent no knock to keep back');
  return { kept: withoutRepetitions(proofs), trying };
}
