import type { Attack } from '../attack.ts';
import { changePacket, type Packet } from '../packet.ts';
import { addresses } from '../network.ts';
import { ControlFailed, type Scene } from '../scene.ts';
import { whenQuiet } from '../when-quiet.ts';

/** The server never gets the client's knock, but from the attacker. */
export const holdBack: Attack = {
  name: 'hold back',
  needs: ['record', 'change'],
  success:
    'The attacker reaches the service from his own address by a knock that he kept from the server.',
  attempt: (scene) => withKnockKept(scene, (kept) => scene.sendAsAttacker(kept)),
};

/** The same with each byte of it changed, and with the client's address in it replaced by the attacker's. */
export const rewrite: Attack = {
  name: 'rewrite',
  needs: ['record', 'change'],
  success:
    "The attacker reaches the service by a knock of the client's in which he has changed something.",
  attempt: (scene) =>
    withKnockKept(scene, async (kept) => {
      const written = kept.flatMap((packet) => rewritings(packet, scene.clientAddress));
      await scene.sendAsAttacker(written, 0);
    }),
};

async function withKnockKept(
  scene: Scene,
  use: (kept: readonly Packet[]) => Promise<void>,
): Promise<boolean> {
  const kept: Packet[] = [];
  await scene.intercept((packet) => {
    if (scene.isProof(packet)) kept.push(packet);
    return scene.isProof(packet) || scene.isOfConnection(packet) ? [] : [packet];
  });
  const knocking = scene.clientKnocks();
  await whenQuiet(kept);
  if (kept.length === 0) throw new ControlFailed('the client has sent no knock to keep back');
  await use(withoutRepetitions(kept));
  const entered = await scene.attackerEnters();
  await scene.letPass();
  await knocking;
  return entered;
}

/** A client says a thing again when nobody answers: the attacker need not. */
function withoutRepetitions(packets: readonly Packet[]): readonly Packet[] {
  const key = ({ sourcePort, destinationPort, payload, tcp }: Packet): string =>
    [sourcePort, destinationPort, tcp?.sequence, Buffer.from(payload).toString('hex')].join();
  return [...new Map(packets.map((packet) => [key(packet), packet])).values()];
}

function rewritings(packet: Packet, client: string): readonly Packet[] {
  const flipped = Array.from(packet.payload, (byte, at) =>
    changePacket(packet, { payload: packet.payload.with(at, byte ^ 0xff) }),
  );
  return [...withAddress(packet, client), ...flipped];
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
