import type { Attack } from '../attack.ts';
import { addresses } from '../network.ts';
import { until } from '../netns.ts';
import { changePacket, type Packet } from '../packet.ts';
import type { Scene } from '../scene.ts';
import { keepKnock } from './keep-knock.ts';

/**
 * The client's Response is sent to a second server, then opens where it belongs, and is sent there once more after a restart. That makes
 * new secrets for cookies, as time does, but while the Challenge is still alive and with a replay record that is empty.
 */
export const cookieReuse: Attack = {
  name: 'cookie reuse',
  needs: ['record', 'change', 'any-address'],
  success:
    "The client, which did not knock again, or the attacker gets in by the client's Response at a second server with the same keys, or at the client's own after a restart.",
  isPossible: ({ traits }) => traits.fleet !== undefined,
  attempt: async (scene) => {
    const { fleet } = scene.traits;
    await fleet?.startTwin();
    const { kept, trying } = await keepKnock(scene);
    await sendTo(addresses.twin, { scene, kept });
    await scene.letPass();
    await scene.letThrough(kept);
    await scene.requireEntered(await trying);
    await fleet?.restart();
    await sendTo(addresses.server, { scene, kept });
    if (await scene.anybodyEnters([addresses.twin, addresses.server])) return true;
    // both could open what it came with, and it was the cookie that was wrong
    const areRefused = async (): Promise<boolean> =>
      (await fleet?.refused())?.every((count) => count === 2 * kept.length) === true;
    await until(areRefused, 'Responses to be refused for their cookies', PATIENCE_MS);
    return false;
  },
};

const PATIENCE_MS = 2000;

interface Sent {
  readonly scene: Scene;
  readonly kept: readonly Packet[];
}

/** From where it came, and from the attacker's own address. */
async function sendTo(destination: string, { scene, kept }: Sent): Promise<void> {
  const there = kept.map((packet) => changePacket(packet, { destination }));
  await scene.forge(there);
  await scene.sendAsAttacker(there);
}
