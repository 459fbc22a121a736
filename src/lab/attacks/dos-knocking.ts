import { randomBytes } from 'node:crypto';
import type { Attack } from '../attack.ts';
import { changePacket, type Packet } from '../packet.ts';

const PER_SECOND = 1000;

/** Different packets of a flood, which is sent over and over. */
const DIFFERENT = 500;

/** Like the tag that hknock's datagrams begin with, by which a peer is found. */
const KEPT_PREFIX = 8;

/** Datagrams and SYNs like those of the client, invalid, from its address and others, while it tries to get in (Manzanares and others 2005). */
export const dosKnocking: Attack = {
  name: 'DoS-knocking',
  needs: ['spoof'],
  success: `The client does not get in while ${String(PER_SECOND)} packets like its own come in every second.`,
  attempt: async (scene) => {
    await (await scene.clientEnters()).hangUp();
    scene.startFlood(likenesses(scene.knownKnocks()), PER_SECOND);
    const number = await scene.clientTries(3000);
    await scene.stopFlood();
    return number === 0;
  },
};

/** In the order from last to first, half of them from the client's own address. */
function likenesses(knocks: readonly Packet[]): readonly Packet[] {
  const backwards = knocks.toReversed();
  return Array.from({ length: DIFFERENT }, (_, i) => {
    const packet = backwards[i % backwards.length];
    if (packet === undefined) throw new Error('the client sent no knock');
    const payload = likenessOf(packet.payload);
    const isSpoofed = i < DIFFERENT / 2;
    return changePacket(packet, {
      payload,
      ...(!isSpoofed && { source: `10.${[...randomBytes(3)].join('.')}` }),
    });
  });
}

function likenessOf(payload: Uint8Array): Uint8Array {
  const random = randomBytes(payload.length);
  if (payload.every((byte) => byte >= 32 && byte < 127)) {
    return Buffer.from(random.toString('base64').slice(0, payload.length));
  }
  if (payload.length <= KEPT_PREFIX) return payload;
  return Buffer.concat([payload.subarray(0, KEPT_PREFIX), random.subarray(KEPT_PREFIX)]);
}
