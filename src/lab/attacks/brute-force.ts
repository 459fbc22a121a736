import type { Attack } from '../attack.ts';
import { ControlFailed } from '../scene.ts';

const PACKETS_PER_SECOND = 10_000;

/** He makes up knocks, and then tries to connect. That it fails says little; how much there is to guess says the rest. */
export const bruteForce: Attack = {
  name: 'brute force',
  needs: [],
  success: 'The attacker reaches the service by guessing.',
  isPossible: ({ guessing }) => guessing !== null,
  attempt: async (scene) => {
    const { guessing } = scene;
    if (guessing === null) return false;
    const { guess, looks, isIn = () => false, ...odds } = guessing;
    const before = await looks();
    const answers = scene.listen();
    const tries = Array.from({ length: odds.guesses }, guess);
    const elapsedMs = await scene.sendAtRate(tries.flat(), PACKETS_PER_SECOND);
    const entered = await scene.attackerEnters();
    const looked = (await looks()) - before;
    if (looked === 0) throw new ControlFailed('nobody has looked at what the attacker guessed');
    scene.note({ ...odds, looks: looked, perSecond: (1000 * odds.guesses) / elapsedMs });
    return entered || answers().some(isIn);
  },
};
