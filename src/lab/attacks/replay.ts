import type { Attack } from '../attack.ts';

/** The client gets in, and the attacker does afterwards what it did. */
export const replay: Attack = {
  name: 'replay',
  needs: ['record'],
  success:
    "The attacker reaches the service from his own address by sending the client's knock again.",
  attempt: async (scene) => {
    const line = await scene.clientEnters();
    await line.hangUp();
    await scene.sendAsAttacker(scene.knocks());
    return scene.attackerEnters();
  },
};
