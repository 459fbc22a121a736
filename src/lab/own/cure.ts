import { HknockError } from '../../errors/hknock-error.ts';
import type { attackers } from '../model.ts';
import { type Cell, runCell } from '../run-cell.ts';
import { type Answer, isFailure } from '../run-table.ts';
import { changeConfig, enforcing, type OwnConfig, type OwnFolder } from './own-folder.ts';
import { ownScheme } from './own-scheme.ts';
import { remediesFor, type Remedy } from './remedies.ts';
import { partsOf, type Way, type WayGroup, waysIn } from './ways.ts';

type LabAttacker = (typeof attackers)[number];

/** What stops an attacker: it was tried. */
export interface Cure {
  readonly settings: Remedy;
  /** Who, by which ways, does not get in any more either. */
  readonly lost: readonly Way[];
  readonly tried: Cell;
}

/** Services that a cure is for; null when nothing that was tried stops the attacker. */
export interface PartCure {
  readonly part: WayGroup;
  readonly cure: Cure | null;
}

interface Seen {
  readonly group: WayGroup;
  readonly answer: Answer;
}

/** Looks for what stops those who got in, by attacking copies with other settings. */
export class CureFinder {
  readonly #own: OwnFolder;
  readonly #seen: readonly Seen[];
  /** What is the same is tried once. */
  readonly #trials = new Map<string, Promise<Cell | null>>();

  constructor(own: OwnFolder, seen: readonly Seen[]) {
    this.#own = own;
    this.#seen = seen;
  }

  /** The first of the remedies that holds, for the services of a group that can have the same. */
  async find(group: WayGroup, attacker: LabAttacker): Promise<readonly PartCure[]> {
    const cures: PartCure[] = [];
    for (const part of partsOf(group, this.#own.config)) {
      cures.push({ part, cure: await this.#findFor(part, attacker) });
    }
    return cures;
  }

  async #findFor(group: WayGroup, attacker: LabAttacker): Promise<Cure | null> {
    for (const settings of remediesFor(group, this.#own.config, attacker.can)) {
      const changed = changeOrNull(this.#own, settings);
      const after = changed === null ? null : afterwards(changed, group);
      if (changed === null || after === null) continue;
      const isNarrower = after.admission !== group.attacked.admission;
      if (isNarrower && this.#isKnownToFall(after, attacker)) continue;
      const tried = await this.#try({ changed, settings, after }, attacker);
      if (tried?.outcome !== 'holds') continue;
      return { settings, lost: lostBy(this.#own, changed), tried };
    }
    return null;
  }

  /** A narrower grant that somebody could have already is no better when it is the only one. */
  #isKnownToFall({ mode, scheme, admission }: Way, attacker: LabAttacker): boolean {
    return this.#seen.some(
      ({ group: { attacked }, answer }) =>
        attacked.mode === mode &&
        attacked.scheme === scheme &&
        attacked.admission === admission &&
        answer.attacker.name === attacker.name &&
        !isFailure(answer) &&
        answer.outcome !== 'holds',
    );
  }

  #try({ changed, settings, after }: Changed, attacker: LabAttacker): Promise<Cell | null> {
    const key = JSON.stringify([after.mode, after.scheme, attacker.name, settings]);
    const known = this.#trials.get(key);
    if (known !== undefined) return known;
    const scheme = ownScheme(changed, after, `${after.mode}-${after.admission}`);
    // a client that does not get in either is no remedy; but once may be by chance, on a machine with much else to do
    const attack = (): Promise<Cell> => runCell({ scheme, attacker });
    const trial = attack()
      .catch(attack)
      .catch(() => null);
    this.#trials.set(key, trial);
    return trial;
  }
}

interface Changed {
  readonly changed: OwnConfig;
  readonly settings: Remedy;
  readonly after: Way;
}

function changeOrNull(own: OwnConfig, settings: Remedy): OwnConfig | null {
  try {
    return changeConfig(own, settings);
  } catch (fault) {
    if (fault instanceof HknockError) return null;
    throw fault;
  }
}

/** How the attacked client comes in then, by the same mode; null when somebody of its group does not any more. */
function afterwards(changed: OwnConfig, { ways, attacked }: WayGroup): Way | null {
  const left = waysIn(changed, enforcing(changed.config).admissions);
  const waysOf = (way: Way): readonly Way[] => left.filter((each) => isSameWay(each, way));
  if (ways.some((way) => waysOf(way).length === 0)) return null;
  const own = waysOf(attacked);
  return own.find(({ admission }) => admission === attacked.admission) ?? own[0] ?? null;
}

function lostBy(own: OwnConfig, changed: OwnConfig): readonly Way[] {
  const left = waysIn(changed, enforcing(changed.config).admissions);
  const before = waysIn(own, enforcing(own.config).admissions);
  return before.filter((way) => !left.some((each) => isSameWay(each, way)));
}

/** Whether it is the same client, coming to the same service by the same mode. */
function isSameWay(a: Way, b: Way): boolean {
  return (
    a.mode === b.mode &&
    a.scheme === b.scheme &&
    a.service === b.service &&
    a.peer?.name === b.peer?.name
  );
}
