import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack } from '../attack.ts';
import { changePacket, type Packet } from '../packet.ts';
import { ControlFailed } from '../scene.ts';
import { likenessOf } from './likeness.ts';

const PER_SECOND = 1000;
const CLIENT_PATIENCE_MS = 3000;

/** How long the flood has gone on when the client begins. */
const HEAD_START_MS = 500;

/** Different packets of a flood, which is sent over and over. */
const DIFFERENT = 500;

/** Datagrams and SYNs like those of the client, invalid, from its address and others, while it tries to get in (Manzanares and others 2005). */
export const dosKnocking: Attack = {
  name: 'DoS-knocking',
  needs: ['spoof'],
  success: `The client does not get in while ${String(PER_SECOND)} packets like its own come in every second.`,
  attempt: async (scene) => {
    // after a flood that shut it out it may be kept out for a minute yet: so that it can get in is seen before
    await scene.requireEntered(await scene.clientTries());
    scene.startFlood(likenesses(await scene.exampleOfKnock()), PER_SECOND);
    await sleep(HEAD_START_MS);
    const number = await scene.clientTries(CLIENT_PATIENCE_MS);
    await scene.stopFlood();
    return number === 0;
  },
};

/** Like the packets to the last port that was knocked at: the others, in some order, could complete a knock. Half are from the client's own address. */
function likenesses(knock: readonly Packet[]): readonly Packet[] {
  const port = knock.at(-1)?.destinationPort;
  const last = knock.filter(({ destinationPort }) => destinationPort === port);
  return Array.from({ length: DIFFERENT }, (_, i) => {
    const packet = last[i % last.length];
    if (packet === undefined) throw new ControlFailed('the client has sent no knock');
    const isSpoofed = Math.floor(i / last.length) % 2 === 0;
    return changePacket(packet, {
      payload: likenessOf(packet.payload),
      sequence: randomInt(2 ** 32),
      ...(isSpoofed
        ? { sourcePort: randomInt(20_000, 40_000) }
        : { source: `10.${[...randomBytes(3)].join('.')}` }),
    });
  });
}
