import type { Attack } from '../attack.ts';
import { becomesTrue } from '../becomes-true.ts';
import { ACK, changePacket, type Packet, PSH } from '../packet.ts';

const WORDS = 'I am the attacker\n';
const PATIENCE_MS = 600;

/** The client is let in and says something; the attacker, who sees that, says the next thing in it. */
export const takeover: Attack = {
  name: 'takeover',
  needs: ['record', 'change', 'any-address'],
  success: "The service hears the attacker's words in the client's connection.",
  attempt: async (scene) => {
    const segments: Packet[] = [];
    await scene.intercept((packet) => {
      if (scene.isOfConnection(packet)) segments.push(packet);
      return [packet];
    });
    const line = await scene.clientEnters();
    await line.say('hello\n');
    await scene.forge(newestOfTalk(segments).map(next));
    const isHeard = async (): Promise<boolean> => (await scene.heardByService()).includes(WORDS);
    const heard = await becomesTrue(isHeard, PATIENCE_MS);
    await line.hangUp();
    await scene.letPass();
    return heard;
  },
};

// of the connection on which something was said; an older segment's timestamp would be refused (RFC 7323, section 5)
function newestOfTalk(segments: readonly Packet[]): readonly Packet[] {
  const said = segments.findLast(({ payload }) => payload.length > 0);
  return segments.filter(({ sourcePort }) => sourcePort === said?.sourcePort).slice(-1);
}

/** The segment that would come after this one, with the attacker's words in it. */
function next(segment: Packet): Packet {
  const sequence = (segment.tcp?.sequence ?? 0) + segment.payload.length;
  return changePacket(segment, {
    sequence,
    flags: PSH | ACK,
    payload: Buffer.from(WORDS),
  });
}
