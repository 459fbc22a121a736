import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack } from '../attack.ts';
import { changePacket, type Packet } from '../packet.ts';
import { addresses } from '../network.ts';
import type { Scene } from '../scene.ts';
import { keepKnock } from './keep-knock.ts';

/** A knock that was let through opens in a tenth of this. */
const MOMENT_MS = 250;

const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/** The server never gets the client's knock, but from the attacker. */
export const holdBack: Attack = {
  name: 'hold back',
  needs: ['record', 'change'],
  success:
    'The attacker reaches the service from his own address by a knock that he kept from the server.',
  attempt: async (scene) => {
    const { entered, trying } = await tryKept(scene, (kept) => scene.sendAsAttacker(kept));
    // unchanged, and from where it comes, it opens even now
    if (!entered) await scene.requireEntered(await trying);
    return entered;
  },
};

/** The same with each byte of it changed, and with the client's address in it replaced by the attacker's. */
export const rewrite: Attack = {
  name: 'rewrite',
  needs: ['record', 'change'],
  success:
    "The attacker reaches the service by a knock of the client's in which he has changed something.",
  attempt: async (scene) => {
    const { entered, trying } = await tryKept(scene, async (kept) => {
      const written = kept.flatMap((packet) => rewritings(packet, scene.clientAddress));
      await scene.sendAsAttacker(written, 0);
    });
    if (entered) return true;
    // of so many with its nonce hknock's shield drops all for a while (shield.md, section 2), the right one too
    const number = await Promise.race([trying, sleep(MOMENT_MS, 0)]);
    await scene.requireEntered(number === 0 ? await scene.clientTries() : number);
    return false;
  },
};

interface Tried {
  readonly entered: boolean;
  /** The client, whose knock was let through in the end, unless the attacker got in by it. */
  readonly trying: Promise<number>;
}

async function tryKept(
  scene: Scene,
  use: (kept: readonly Packet[]) => Promise<void>,
): Promise<Tried> {
  const { kept, trying } = await keepKnock(scene);
  await use(kept);
  const entered = await scene.attackerEnters();
  await scene.letPass();
  if (!entered) await scene.letThrough(kept);
  return { entered, trying };
}

function rewritings(packet: Packet, client: string): readonly Packet[] {
  const flipped = scattered(packet.payload.length).map((at) =>
    changePacket(packet, { payload: packet.payload.with(at, (packet.payload[at] ?? 0) ^ 0xff) }),
  );
  return [...withAddress(packet, client), ...flipped];
}

/** All places, so that the first few lie all over: those hknock's shield lets through. */
function scattered(length: number): readonly number[] {
  const place = (at: number): number => (at * GOLDEN_RATIO) % 1;
  return [...Array(length).keys()].sort((a, b) => place(a) - place(b));
}

function withAddress(packet: Packet, client: string): readonly Packet[] {
  const known = [client, addresses.client].map((each) => each.split('.').map(Number));
  const own = addresses.stranger.split('.').map(Number);
  return known.flatMap((address) => {
    const at = Buffer.from(packet.payload).indexOf(Buffer.from(address));
    if (at === -1) return [];
    const payload = Uint8Array.from(packet.payload);
    payload.set(own, at);
    return [changePacket(packet, { payload })];
  });
}
