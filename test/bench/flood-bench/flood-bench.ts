import { startFwknop } from './fwknop-system.ts';
import { startHknock } from './hknock-system.ts';
import type { Kind } from './kinds.ts';
import { type Measured, measure, measureQuiet, type MeasureOptions } from './measure.ts';
import { openScene, type Scene } from './scene.ts';
import type { System } from './system.ts';

export interface FloodBenchOptions extends MeasureOptions {
  readonly kinds: readonly Kind[];
  readonly systems: readonly SystemName[];
  /** Whether to let both sides warm up, so that times mean something. */
  readonly warm: boolean;
}

/** What `--only` takes. */
export const systemNames = ['hknock', 'hknock-bare', 'fwknop'] as const;

export type SystemName = (typeof systemNames)[number];

/** Services of hknock, and so knocks that may be under way at a time. */
const SERVICES = 100;

/** Measures each system alone, in a network of its own; tells each figure as it comes. */
export async function floodBench(
  options: FloodBenchOptions,
  tell: (measured: Measured) => void,
): Promise<readonly string[]> {
  const versions: string[] = [];
  for (const name of options.systems) {
    const scene = await openScene();
    try {
      const system = await start(name, scene, options);
      versions.push(`${system.name}: ${system.version}`);
      await measureAll(scene, system, { options, tell });
    } finally {
      await scene.remove();
    }
  }
  return versions;
}

function start(
  name: SystemName,
  scene: Scene,
  { warm, knocks }: FloodBenchOptions,
): Promise<System> {
  if (name === 'fwknop') return startFwknop(scene);
  const services = Math.min(SERVICES, knocks ?? SERVICES);
  const door = { admission: 'once', ttl: '5s' } as const;
  return startHknock(scene, { shield: name === 'hknock', services, warm, ...door });
}

async function measureAll(
  scene: Scene,
  system: System,
  { options, tell }: { options: FloodBenchOptions; tell: (measured: Measured) => void },
): Promise<void> {
  const quiet = await measureQuiet(system, options);
  for (const kind of options.kinds) {
    const measured = await measure(scene, { system, kind, quiet }, options);
    if (measured !== null) tell(measured);
  }
}
