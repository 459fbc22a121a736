import { randomBytes, randomInt } from 'node:crypto';
import type { MonotonicMs } from '../../src/units/time.ts';
import { certificateWorld, client, NOW } from './certificate-world.ts';
import { MIN_FRAME_LENGTH, sknockDatagrams, sknockReceiver } from './sknock-world.ts';
import { perSecond, type Row } from './table.ts';

/** Frames a second that the paper's server took of this mix (Sel, Totakura, Carle, section V.B). */
const PAPER = 6100;

const FRAMES = 100_000;
const KNOCKS = 0.01;
const LARGE = 0.05;
/** Of six frames that are no knocks one is UDP. */
const TCP_OF_SIX = 5;

const TCP = 6;
const UDP = 17;
/** Ethernet, IPv4, and the one or the other. */
const HEADERS = { [TCP]: 14 + 20 + 20, [UDP]: 14 + 20 + 8 } as const;
const PROTOCOL_AT = 14 + 9;
const MAX_FRAME_LENGTH = 1514;

type Protocol = keyof typeof HEADERS;

/** The paper's second test: frames made before, one in a hundred a knock, filtered in the paper's order. */
export async function mix(): Promise<readonly Row[]> {
  const world = await certificateWorld();
  const receive = sknockReceiver(world);
  const arrival = { source: client, unixMs: NOW, monotonicMs: 0 as MonotonicMs };
  const filter = (frames: readonly Uint8Array[]): number => {
    let admitted = 0;
    for (const frame of frames) {
      if (frame[PROTOCOL_AT] !== UDP) continue;
      if (receive(frame.subarray(HEADERS[UDP]), arrival).kind === 'knock') admitted++;
    }
    return admitted;
  };
  const knocks = FRAMES * KNOCKS;
  const frames = [0, 1].map(() => {
    const valid = sknockDatagrams(world, knocks).map((each) => frameOf(UDP, each));
    return shuffle([...valid, ...Array.from({ length: FRAMES - knocks }, irrelevant)]);
  });
  filter(frames[0] ?? []);
  const before = process.cpuUsage();
  const admitted = filter(frames[1] ?? []);
  const { user, system } = process.cpuUsage(before);
  if (admitted !== knocks) throw new Error(`${String(admitted)} of ${String(knocks)} knocks`);
  return [
    {
      what: `frames, 1 % knocks, 5 % large, TCP:UDP 5:1 (paper: ${String(PAPER)}/s), per second of processor`,
      measured: perSecond(FRAMES, (user + system) / 1e6),
    },
  ];
}

/** Payload without meaning, of any length on its side of the least that a knock has. */
function irrelevant(): Uint8Array {
  const protocol = randomInt(6) < TCP_OF_SIX ? TCP : UDP;
  const isLarge = randomInt(100) < LARGE * 100;
  const [from, to] = isLarge
    ? [MIN_FRAME_LENGTH, MAX_FRAME_LENGTH + 1]
    : [HEADERS[protocol], MIN_FRAME_LENGTH];
  return frameOf(protocol, randomBytes(randomInt(from, to) - HEADERS[protocol]));
}

/** Only what the filter looks at is filled in. */
function frameOf(protocol: Protocol, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADERS[protocol] + payload.length);
  frame[PROTOCOL_AT] = protocol;
  frame.set(payload, HEADERS[protocol]);
  return frame;
}

function shuffle<T>(values: readonly T[]): readonly T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
