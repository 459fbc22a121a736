import { randomBytes, randomInt } from 'node:crypto';
import { LEASE_LENGTH } from '../../handshake/wire/lease.ts';
import type { Attack } from '../attack.ts';
import { addresses, FIRST_NEIGHBOUR_PORT } from '../network.ts';
import { changePacket, type Packet } from '../packet.ts';
import { ControlFailed } from '../scene.ts';
import { KEPT_PREFIX, likenessOf } from './likeness.ts';
import { withoutRepetitions } from './without-repetitions.ts';

const PACKETS = 48;
const CLIENT_PATIENCE_MS = 3000;

/** The NAT gives the client one from here on. */
const FIRST_CLIENT_PORT = 20_000;

/** As long as the answers of hknock's server are: Challenge, Grant, Lease Answer (wire.md, section 4). */
const ANSWER_LENGTHS = [100, 126, 48];

/** At how many ports beside the right one the client is looked for with each. */
const GUESSES = 2;

/** A few packets in the name of the client, out of turn, and in the name of the server, at the worst moments. */
export const interruption: Attack = {
  name: 'interruption',
  needs: ['spoof'],
  success: `The client does not get in because of ${String(PACKETS)} packets at most that seem to come from it, or from the server.`,
  isPossible: ({ traits }) => traits.knocksInOne !== true,
  attempt: async (scene) => {
    const example = scene.traits.knocksByConnecting === true ? [] : await scene.exampleOfKnock();
    await scene.requireEntered(await scene.clientTries());
    const steps = Math.max(1, withoutRepetitions(example).length);
    const share = Math.floor(PACKETS / steps);
    let left = PACKETS;
    await scene.interrupt((packet) => {
      const spoofed = spoofedBefore(packet, example).slice(0, Math.min(share, left));
      left -= spoofed.length;
      return spoofed;
    });
    const number = await scene.clientTries(CLIENT_PATIENCE_MS);
    await scene.letPass();
    if (left === PACKETS) throw new ControlFailed('the client has sent no knock to interrupt');
    if (number !== 0) await scene.requireEntered(number);
    return number === 0;
  },
};

function spoofedBefore(packet: Packet, example: readonly Packet[]): readonly Packet[] {
  if (packet.payload.length > KEPT_PREFIX) {
    return [...requests(packet, example), ...answers(packet)];
  }
  // out of turn, and others each time, so that they are more than a repetition
  const stray = example.at(-1) ?? packet;
  return Array.from({ length: PACKETS }, () =>
    changePacket(stray, { sourcePort: clientPort(), sequence: randomInt(2 ** 32) }),
  );
}

function requests(packet: Packet, example: readonly Packet[]): readonly Packet[] {
  const lengths = new Set([...example.map(({ payload }) => payload.length), LEASE_LENGTH]);
  return [...lengths].map((length) => {
    const tag = packet.payload.subarray(0, KEPT_PREFIX);
    const payload = likenessOf(Buffer.concat([tag, randomBytes(length - tag.length)]));
    return changePacket(packet, { payload });
  });
}

/** To the port that the client has, by luck, and to others. */
function answers(packet: Packet): readonly Packet[] {
  const ports = [packet.sourcePort, ...Array.from({ length: GUESSES }, clientPort)];
  return ANSWER_LENGTHS.flatMap((length) =>
    ports.map((port) =>
      changePacket(packet, {
        source: addresses.server,
        destination: packet.source,
        sourcePort: packet.destinationPort,
        destinationPort: port,
        payload: randomBytes(length),
      }),
    ),
  );
}

function clientPort(): number {
  return randomInt(FIRST_CLIENT_PORT, FIRST_NEIGHBOUR_PORT);
}
