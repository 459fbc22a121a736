import type { Attack } from '../attack.ts';
import { becomesTrue } from '../becomes-true.ts';
import { addresses } from '../network.ts';
import { changePacket } from '../packet.ts';

/** Longer than a knock takes, and until the client has begun to connect. */
const CLIENT_TRIES_MS = 800;

/** What the client sends comes to the server from the attacker's address, and what that answers comes to the client as the server's. */
export const relay: Attack = {
  name: 'relay',
  needs: ['record', 'change', 'any-address'],
  success:
    "The attacker reaches the service from his own address by carrying the client's knock over it.",
  attempt: async (scene) => {
    const { server, stranger } = addresses;
    const ports = new Set<number>();
    await scene.intercept((packet) => {
      if (scene.isOfConnection(packet)) {
        ports.add(packet.destinationPort);
        return [];
      }
      if (scene.isKnock(packet)) return [changePacket(packet, { source: stranger })];
      const isAnswer = packet.source === server && packet.destination === stranger;
      if (isAnswer && packet.protocol === 'udp') {
        return [changePacket(packet, { destination: scene.clientAddress })];
      }
      return [packet];
    });
    const trying = scene.clientTries(CLIENT_TRIES_MS);
    await Promise.race([trying, becomesTrue(() => ports.size > 0, CLIENT_TRIES_MS)]);
    const entered = await scene.attackerEnters([...ports]);
    await scene.stopClient();
    await trying;
    await scene.letPass();
    return entered;
  },
};
