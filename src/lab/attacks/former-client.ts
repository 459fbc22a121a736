import type { Attack } from '../attack.ts';

/** How long the former client waits for what it does not get. */
const PATIENCE_MS = 1500;

/** Somebody who was a client until it was shut out. Where a scheme cannot shut anybody out, that changes nothing. */
export const formerClient: Attack = {
  name: 'former client',
  needs: ['former-client'],
  success:
    'The former client reaches the service by a knock from before it was shut out, or by a new one.',
  attempt: async (scene) => {
    await (await scene.clientEnters()).hangUp();
    await scene.clientKnocks();
    await scene.revokeClient();
    return (await scene.formerClientEnters()) || (await scene.clientTries(PATIENCE_MS)) !== 0;
  },
};
