import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { concat } from '../../bytes/bytes.ts';
import type { Attack } from '../attack.ts';
import { changePacket, type Packet } from '../packet.ts';
import { ControlFailed, type Scene } from '../scene.ts';

/** How long the client hears nothing but forged answers; it sends its proof again a little later (wire.md, section 6). */
const FORGING_MS = 200;

/** The client hears forged answers before the right ones, and in place of a refusal. */
export const forgedAnswers: Attack = {
  name: 'forged answers',
  needs: ['record', 'change', 'any-address'],
  success:
    'The client does not get in although all that the server answered came to it; or it takes a refusal for a grant.',
  isPossible: (scene) => scene.isAnswered,
  attempt: async (scene) => {
    await scene.requireEntered(await scene.clientTries());
    if (await scene.clientAsksTooMuch()) throw new ControlFailed('what is too much was granted');
    return (await isKeptOut(scene)) || (await isMisled(scene));
  },
};

async function isKeptOut(scene: Scene): Promise<boolean> {
  await scene.intercept((packet) =>
    scene.isAnswer(packet) ? [...forgeriesOf(packet, scene), packet] : [packet],
  );
  const number = await scene.clientTries();
  await scene.letPass();
  if (number !== 0) await scene.requireEntered(number);
  return number === 0;
}

/** The refusal comes in the end, so the client did wait for it: should it not, its knock fails, and with it the cell. */
async function isMisled(scene: Scene): Promise<boolean> {
  let isProven = false;
  await scene.intercept((packet) => {
    isProven ||= scene.isProof(packet);
    return isProven && scene.isAnswer(packet) ? forgeriesOf(packet, scene) : [packet];
  });
  const believes = scene.clientAsksTooMuch();
  await Promise.race([believes, sleep(FORGING_MS)]);
  await scene.letPass();
  return believes;
}

/** In place of an answer: each byte of it changed, other lengths, noise, and what was answered to earlier knocks. */
function forgeriesOf(answer: Packet, scene: Scene): readonly Packet[] {
  const { payload } = answer;
  const recorded = earlierThan(answer, scene).map((each) => each.payload);
  const changed = Array.from(payload, (byte, at) => payload.with(at, byte ^ 1));
  const lengths = [new Uint8Array(), payload.subarray(0, -1), concat(payload, randomBytes(1))];
  const noise = [...new Set(recorded.map(({ length }) => length))].map((each) => randomBytes(each));
  return [...recorded, ...changed, ...lengths, ...noise].map((each) =>
    changePacket(answer, { payload: each }),
  );
}

/** Each knock has a port of its own. */
function earlierThan({ destinationPort }: Packet, scene: Scene): readonly Packet[] {
  return scene.answers().filter((each) => each.destinationPort !== destinationPort);
}
