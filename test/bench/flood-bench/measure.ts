import { setTimeout as sleep } from 'node:timers/promises';
import { interfaceTo } from '../../support/netns.ts';
import { percentile } from '../table.ts';
import { type DaemonUsage, usageOf } from './daemon-usage.ts';
import type { Kind } from './kinds.ts';
import type { Scene } from './scene.ts';
import type { System, Times } from './system.ts';

/** How long one kind of flood is sent for, and how the legitimate knocks fare that are tried meanwhile. */
export interface MeasureOptions {
  readonly seconds: number;
  readonly perSecond: number | null;
  /** As many as the system says, if null. */
  readonly knocks: number | null;
}

/** What became of legitimate knocks. Milliseconds; NaN where none succeeded. */
export interface Legitimate {
  readonly tried: number;
  readonly succeeded: number;
  readonly p50: number;
  readonly p99: number;
}

/** One system under one kind of flood. */
export interface Measured {
  readonly system: string;
  readonly kind: Kind;
  /** Packets a second, as the kernel took them from the attacker. */
  readonly rate: number;
  readonly legitimate: Legitimate;
  /** The same before the flood. */
  readonly quiet: Legitimate;
  /** Of one processor. */
  readonly cpuPercent: number;
  readonly residentBefore: number;
  readonly residentAfter: number;
  /** Bytes that the server sent for each that it received, counted where it is joined to the network. */
  readonly amplification: number;
}

/** A client that has waited for so long has failed; ours has asked four times by then. */
const WITHIN_MS = 2500;

/** Until a flood is at its height. */
const RAMP_MS = 300;

/** How the system does with nothing else to do. */
export async function measureQuiet(
  system: System,
  { seconds, knocks }: MeasureOptions,
): Promise<Legitimate> {
  return legitimateOf(await tryKnocks(system, knocks ?? system.knocks, seconds));
}

/** Null when the system has nothing of the kind. */
export async function measure(
  scene: Scene,
  {
    system,
    kind,
    quiet,
  }: { readonly system: System; readonly kind: Kind; readonly quiet: Legitimate },
  { seconds, perSecond, knocks }: MeasureOptions,
): Promise<Measured | null> {
  const attack = await system.attack(kind);
  if (attack === null) return null;
  const before = await look(scene, system);
  scene.attacker.flood(attack, perSecond);
  await sleep(RAMP_MS);
  const times = await tryKnocks(system, knocks ?? system.knocks, seconds);
  const during = await look(scene, system);
  const { sent, seconds: took } = await scene.attacker.stop();
  return {
    system: system.name,
    kind,
    rate: sent / took,
    legitimate: legitimateOf(times),
    quiet,
    cpuPercent: (100 * (during.cpuSeconds - before.cpuSeconds)) / (during.at - before.at),
    residentBefore: before.resident,
    residentAfter: during.resident,
    amplification: (during.sent - before.sent) / (during.received - before.received),
  };
}

function tryKnocks(system: System, count: number, seconds: number): Promise<Times> {
  return system.knock({ count, overMs: seconds * 1000, withinMs: WITHIN_MS });
}

function legitimateOf(times: Times): Legitimate {
  const good = times.filter((each) => each !== null);
  return {
    tried: times.length,
    succeeded: good.length,
    p50: percentile(good, 50),
    p99: percentile(good, 99),
  };
}

interface Look extends DaemonUsage {
  /** Seconds */
  readonly at: number;
  readonly received: number;
  readonly sent: number;
}

async function look({ topology }: Scene, { pid }: System): Promise<Look> {
  const device = interfaceTo(topology.nat);
  const show = ['ip', '-json', '-stats', 'link', 'show', 'dev', device];
  const { stdout } = await topology.server.exec(show);
  const [{ stats64 }] = JSON.parse(stdout) as [LinkStatistics];
  const { rx, tx } = stats64;
  return { at: performance.now() / 1000, received: rx.bytes, sent: tx.bytes, ...usageOf(pid) };
}

interface LinkStatistics {
  readonly stats64: {
    readonly rx: { readonly bytes: number };
    readonly tx: { readonly bytes: number };
  };
}
