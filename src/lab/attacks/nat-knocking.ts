import type { Attack } from '../attack.ts';

/** How long the client waits for its connection, unless the neighbour has it. */
const CLIENT_PATIENCE_MS = 2000;

/** A neighbour behind the client's NAT connects all the time while the client knocks and connects (Manzanares and others 2005). */
export const natKnocking: Attack = {
  name: 'NAT-knocking',
  needs: ['neighbour'],
  success: "A neighbour behind the client's NAT reaches the service by the client's knock.",
  attempt: async (scene) => {
    await (await scene.clientEnters()).hangUp();
    const neighbour = scene.neighbourEnters();
    // what it knocked for is gone then
    neighbour.then((entered) => (entered ? scene.stopClient() : undefined)).catch(() => undefined);
    await scene.clientTries(CLIENT_PATIENCE_MS);
    await scene.stopNeighbour();
    return neighbour;
  },
};
