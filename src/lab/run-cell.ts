import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Attack } from './attack.ts';
import { attacksOf } from './attacks/all.ts';
import { Captures } from './captures.ts';
import type { Guessed } from './guessing.ts';
import { isAsExpected, outcomeOf, trialsFor } from './judge.ts';
import type { Attacker, AttackerName, Expectation, Outcome, Tally } from './model.ts';
import { addresses, buildNetwork, type Network } from './network.ts';
import { ControlFailed, Scene, type SceneParts } from './scene.ts';
import { type Scheme, SERVICE_PORT, type World } from './scheme.ts';
import { startHost } from './start-host.ts';
import { type Passed, Wire } from './wire.ts';

/** One scheme under one attacker. */
export interface Question {
  readonly scheme: Scheme;
  readonly attacker: Attacker & { readonly name: AttackerName };
  /** The scheme's own if not said. */
  readonly expectation?: Expectation;
}

export interface RunOptions {
  /** The folder in which to keep what passes at each host. */
  readonly pcap?: string | undefined;
}

/** What there was to see. */
export interface Cell extends Question {
  readonly expectation: Expectation;
  readonly outcome: Outcome;
  readonly tallies: readonly Tally[];
  /** Null where nobody has guessed. */
  readonly guessed: Guessed | null;
  readonly isAsExpected: boolean;
  readonly elapsedMs: number;
  readonly timeline: readonly Passed[];
  /** Packets that came after the timeline was full. */
  readonly unkept: number;
}

/** Builds a network, puts the scheme there, and has the attacker try all that he can. All is gone afterwards. */
export async function runCell(question: Question, { pcap }: RunOptions = {}): Promise<Cell> {
  if (isOver) return new Promise(() => undefined); // which the end of the program ends
  const startedAt = performance.now();
  const { scheme, attacker } = question;
  const expectation = question.expectation ?? scheme.expected[attacker.name];
  const behindNat = scheme.behindNat || attacker.name === 'nat';
  const captures =
    pcap === undefined ? null : new Captures(pcap, `${scheme.name}-${attacker.name}`);
  const folder = mkdtempSync(join(tmpdir(), 'hknock-lab-'));
  const building = buildNetwork({ behindNat });
  const remove = async (): Promise<void> => {
    live.delete(remove);
    try {
      await (await building).remove();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  live.add(remove);
  try {
    const network = await building;
    await captures?.begin(network);
    const wire = await Wire.start(network);
    const [world, others] = await Promise.all([
      inhabit(network, scheme, { folder, behindNat }),
      startOthers(network, attacker),
    ]);
    const defence = await scheme.deploy(world);
    const scene = new Scene({ world, defence, wire, ...others, can: attacker.can });
    const seen = await observe({ scheme, attacker, expectation }, scene);
    return {
      scheme,
      attacker,
      expectation,
      ...seen,
      guessed: scene.guessed,
      elapsedMs: performance.now() - startedAt,
      timeline: [...wire.passed],
      unkept: wire.unkept,
    };
  } finally {
    captures?.keepKeys(folder);
    await remove();
  }
}

const live = new Set<() => Promise<void>>();
let isOver = false;

/** Removes all that the cells that still run have made, when the program has to end: no other begins. */
export async function removeCells(): Promise<void> {
  isOver = true;
  await Promise.allSettled([...live].map((remove) => remove()));
}

async function observe(
  { attacker, scheme, expectation }: Required<Question>,
  scene: Scene,
): Promise<Pick<Cell, 'outcome' | 'tallies' | 'isAsExpected'>> {
  const tallies: Tally[] = [];
  try {
    for (const attack of attacksOf(attacker)) {
      if (attack.isPossible?.(scene) === false) continue;
      const tally = await tallyOf(attack, scene, trialsFor(expectation));
      tallies.push(tally);
      // the scheme has fallen: what else it would fall to is in the columns of lesser attackers
      if (tally.successes === tally.trials) break;
    }
  } catch (fault) {
    const isShutOut = !scheme.behindNat && attacker.can.includes('neighbour');
    if (!(fault instanceof ControlFailed) || !isShutOut) throw fault;
    const isExpected = ['unusable', 'any'].includes(expectation.outcome);
    return { outcome: 'unusable', tallies, isAsExpected: isExpected };
  }
  return {
    outcome: outcomeOf(tallies),
    tallies,
    isAsExpected: isAsExpected(expectation, tallies),
  };
}

async function tallyOf({ name, attempt }: Attack, scene: Scene, trials: number): Promise<Tally> {
  let successes = 0;
  for (let trial = 0; trial < trials; trial++) if (await attempt(scene)) successes++;
  return { attack: name, successes, trials };
}

async function inhabit(
  network: Network,
  { servicePort = SERVICE_PORT }: Scheme,
  { folder, behindNat }: { readonly folder: string; readonly behindNat: boolean },
): Promise<World> {
  const [client, server] = await Promise.all([
    startHost(network.client),
    startHost(network.server),
  ]);
  await server.ask('serve', servicePort);
  const clientAddress = behindNat ? addresses.nat : addresses.client;
  return { network, client, server, clientAddress, path: (name) => join(folder, name) };
}

/** Those that the attacker makes use of: each is a process. */
async function startOthers(
  network: Network,
  { can }: Attacker,
): Promise<Pick<SceneParts, 'stranger' | 'neighbour'>> {
  const isNeighbour = can.includes('neighbour');
  const connectsByHimself =
    !isNeighbour && !can.includes('former-client') && !can.includes('spoof');
  const [stranger, neighbour] = await Promise.all([
    connectsByHimself ? startHost(network.stranger) : null,
    isNeighbour ? startHost(network.neighbour) : null,
  ]);
  return { stranger, neighbour };
}
