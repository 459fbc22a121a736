import { setTimeout as sleep } from 'node:timers/promises';
import { compareDoors, type Difference } from './compare-doors.ts';
import { Client } from './client.ts';
import { usageOf } from './daemon-usage.ts';
import { FIRST_PORT, type Hknock, startHknock } from './hknock-system.ts';
import { kernelDoors } from './kernel-doors.ts';
import type { Kind } from './kinds.ts';
import { openScene, type Scene } from './scene.ts';
import type { Counts, Holdings } from './soak-program.ts';

export interface SoakOptions {
  readonly kinds: readonly Kind[];
  readonly minutes: number;
  readonly perSecond: number | null;
  /** One flood, and one comparison of the kernel with the client. */
  readonly roundMs: number;
}

/** What has come of it so far. */
export interface Soaked extends Difference {
  readonly minutes: number;
  readonly kind: Kind;
  /** Packets a second of the last flood. */
  readonly rate: number;
  readonly counts: Counts;
  /** Bytes */
  readonly resident: number;
}

/** Services whose knocks are recorded, to be sent again; nobody looks at their doors. */
const RECORDED = 16;

/** Grants that are held at a time. */
const LANES = 24;

/** Floods one after the other, while a client takes, renews, closes and uses grants; compares at every turn what it holds. */
export async function soak(options: SoakOptions, tell: (soaked: Soaked) => void): Promise<void> {
  const scene = await openScene();
  try {
    const door = { admission: 'address', ttl: '6s' } as const;
    const services = RECORDED + LANES;
    const system = await startHknock(scene, { shield: true, services, warm: false, ...door });
    const args = ['soak-program.ts', system.profile, String(RECORDED)] as const;
    const client = await Client.start<'pause' | 'resume', Holdings>(scene.client, ...args);
    await rounds({ scene, system, client }, options, tell);
  } finally {
    await scene.remove();
  }
}

interface Soak {
  readonly scene: Scene;
  readonly system: Hknock;
  readonly client: Client<'pause' | 'resume', Holdings>;
}

async function rounds(
  { scene, system, client }: Soak,
  { kinds, minutes, perSecond, roundMs }: SoakOptions,
  tell: (soaked: Soaked) => void,
): Promise<void> {
  const startedAt = performance.now();
  const past = (): number => (performance.now() - startedAt) / 60_000;
  const sums = { compared: 0, lost: 0, tooMany: 0 };
  for (let round = 0; round === 0 || past() < minutes; round++) {
    const kind = kinds[round % kinds.length] ?? 'random';
    scene.attacker.flood(await system.attack(kind), perSecond);
    await sleep(roundMs);
    const { compared, lost, tooMany, counts } = await compare(scene, client);
    const { sent, seconds } = await scene.attacker.stop();
    sums.compared += compared;
    sums.lost += lost;
    sums.tooMany += tooMany;
    const { resident } = usageOf(system.pid);
    tell({ minutes: past(), kind, rate: sent / seconds, counts, ...sums, resident });
  }
}

/** While the flood goes on, and the client does nothing. */
async function compare(
  { server }: Scene,
  client: Soak['client'],
): Promise<Difference & Pick<Holdings, 'counts'>> {
  const holdings = await client.do('pause');
  const doors = await kernelDoors(server.place);
  await client.do('resume');
  const watched = doors.filter(({ port }) => port >= FIRST_PORT + RECORDED);
  return { ...compareDoors(holdings, watched, Date.now()), counts: holdings.counts };
}
