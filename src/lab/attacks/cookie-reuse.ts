import type { Attack } from '../attack.ts';
import { becomesTrue } from '../becomes-true.ts';
import { addresses } from '../network.ts';
import { changePacket, type Packet } from '../packet.ts';
import { ControlFailed, type Scene } from '../scene.ts';

const PATIENCE_MS = 2000;

/** When a Response has been judged, what came of it is there. */
const MOMENT_MS = 200;

/**
 * The Response by which the client came in is sent to a second server, and once more to its own after a restart. That makes new
 * secrets for cookies, as time does, but while the Challenge is still alive and with a replay record that is empty.
 */
export const cookieReuse: Attack = {
  name: 'cookie reuse',
  needs: ['record', 'any-address'],
  success:
    "The client, which did not knock again, or the attacker gets in by the client's Response at a second server with the same keys, or at the client's own after a restart.",
  isPossible: ({ traits }) => traits.fleet !== undefined,
  attempt: async (scene) => {
    const { fleet } = scene.traits;
    await scene.requireEntered(await scene.clientTries());
    const proofs = scene.knocks().filter((packet) => scene.isProof(packet));
    const response = proofs.slice(-1);
    await Promise.all([fleet?.restart(), fleet?.startTwin()]);
    for (const server of servers) await sendTo(server, { scene, response });
    const isRefused = await becomesTrue(
      async () => (await fleet?.refused())?.every((count) => count === SENT) === true,
      PATIENCE_MS,
    );
    if (await scene.anybodyEnters(servers, MOMENT_MS)) return true;
    // each could open what it came with: it was the cookie that was wrong
    if (!isRefused) throw new ControlFailed('a Response was not refused for its cookie');
    return false;
  },
};

const servers = [addresses.server, addresses.twin];

/** Two to each server. */
const SENT = 2;

interface Sent {
  readonly scene: Scene;
  readonly response: readonly Packet[];
}

/** From where it came, and from the attacker's own address. */
async function sendTo(destination: string, { scene, response }: Sent): Promise<void> {
  const there = response.map((packet) => changePacket(packet, { destination }));
  await scene.forge(there);
  await scene.sendAsAttacker(there);
}
