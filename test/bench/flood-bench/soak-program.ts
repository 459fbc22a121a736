// A client that keeps many grants at a time: takes them, renews, closes or leaves them, one service to each lane. Says on request,
// when nothing is under way, which it has been told to hold.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectGranted } from '../../../src/client/connect.ts';
import { knock, type KnockGranted } from '../../../src/client/knock.ts';
import { readProfileFile } from '../../../src/store/profile-file.ts';
import type { ServiceName } from '../../../src/units/names.ts';

/** What the client says when it is asked. */
export interface Holdings {
  /** Grants that it has been told of and that are not over: TCP port, and the end by its clock. */
  readonly held: readonly Door[];
  /** Ports of which it cannot know: a question about them got no answer. */
  readonly unknown: readonly number[];
  readonly counts: Counts;
}

export interface Door {
  readonly port: number;
  readonly endsAt: number;
}

/** What has been done since the start. */
export interface Counts {
  knocks: number;
  renewals: number;
  closings: number;
  connections: number;
  /** Of these, how many came to nothing. */
  failed: number;
}

/** Longer than any grant that is not renewed, and any answer that is late. */
const UNKNOWN_MS = 15_000;
const MOST_RENEWALS = 4;
const MOST_PAUSE_MS = 1500;

const [profileFile = '', first = ''] = process.argv.slice(2);
const profile = await readProfileFile(profileFile);
const services = [...profile.services].slice(Number(first));
const counts: Counts = { knocks: 0, renewals: 0, closings: 0, connections: 0, failed: 0 };
const held = new Map<number, number>();
const unknown = new Map<number, number>();
let underWay = 0;
let isPaused = false;

process.on('message', (order: 'pause' | 'resume') => {
  isPaused = order === 'pause';
  void (isPaused ? quiet() : Promise.resolve()).then(() => process.send?.(holdings()));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
for (const [service, ports] of services) void lane(service, ports[0]?.port ?? 0);

async function quiet(): Promise<void> {
  while (underWay > 0) await sleep(10);
}

function holdings(): Holdings {
  const now = Date.now();
  for (const [port, until] of unknown) if (until < now) unknown.delete(port);
  for (const [port, endsAt] of held) if (endsAt < now) held.delete(port);
  const doors = [...held].map(([port, endsAt]) => ({ port, endsAt }));
  return { held: doors, unknown: [...unknown.keys()], counts };
}

/** Does one thing while nobody looks; null when it came to nothing, and then nobody knows. */
async function once<T>(port: number, work: () => Promise<T>): Promise<T | null> {
  while (isPaused) await sleep(10);
  underWay++;
  try {
    return await work();
  } catch {
    counts.failed++;
    held.delete(port);
    unknown.set(port, Date.now() + UNKNOWN_MS);
    return null;
  } finally {
    underWay--;
  }
}

async function lane(service: ServiceName, port: number): Promise<void> {
  for (;;) {
    await sleep(randomInt(MOST_PAUSE_MS));
    const isOnce = randomInt(2) === 0;
    const granted = await once(port, () => take(service, port, isOnce));
    if (granted === null) await sleep(UNKNOWN_MS);
    else if (isOnce) await enterOrLeave(granted, port);
    else await hold(granted, port);
  }
}

async function take(service: ServiceName, port: number, isOnce: boolean): Promise<KnockGranted> {
  counts.knocks++;
  const result = await knock(profile, { service, admission: isOnce ? 'once' : 'address' });
  if (!result.granted) throw new Error(result.reason);
  held.set(port, result.expiresAt);
  return result;
}

/** A connection takes the grant with it. */
async function enterOrLeave(granted: KnockGranted, port: number): Promise<void> {
  await sleep(randomInt(MOST_PAUSE_MS));
  if (randomInt(4) === 0) await over(granted.expiresAt);
  else await once(port, () => enter(granted, port, true));
}

async function hold(granted: KnockGranted, port: number): Promise<void> {
  let { expiresAt }: { expiresAt: number } = granted;
  for (let left = randomInt(MOST_RENEWALS); left > 0; left--) {
    await sleep((expiresAt - Date.now()) / 2);
    if ((await once(port, () => enter(granted, port, false))) === null) return;
    const renewed = await once(port, () => renew(granted, port));
    if (renewed === null) return;
    expiresAt = renewed;
  }
  if (randomInt(3) === 0) await over(expiresAt);
  else await once(port, () => close(granted, port));
}

async function enter(granted: KnockGranted, port: number, isLast: boolean): Promise<void> {
  counts.connections++;
  (await connectGranted(granted)).destroy();
  if (isLast) held.delete(port);
}

async function renew({ lease }: KnockGranted, port: number): Promise<number> {
  counts.renewals++;
  const expiresAt = (await lease?.renew()) ?? 0;
  held.set(port, expiresAt);
  return expiresAt;
}

async function close({ lease }: KnockGranted, port: number): Promise<void> {
  counts.closings++;
  await lease?.close();
  held.delete(port);
}

/** Until the server, which counts from later, has forgotten it too. */
async function over(expiresAt: number): Promise<void> {
  await sleep(Math.max(0, expiresAt - Date.now()) + 1500);
}
