// Knocks with a profile, each time for another service, and connects; answers each order with the milliseconds that it took.
import { setTimeout as sleep } from 'node:timers/promises';
import { connectGranted } from '../../../src/client/connect.ts';
import { knock } from '../../../src/client/knock.ts';
import { readProfileFile } from '../../../src/store/profile-file.ts';
import type { Times, Tries } from './system.ts';

const [profileFile = ''] = process.argv.slice(2);
const profile = await readProfileFile(profileFile);
const services = [...profile.services.keys()];

process.on('message', (tries: Tries) => {
  void timesOf(tries).then((times) => process.send?.(times));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

async function timesOf({ count, overMs, withinMs }: Tries): Promise<Times> {
  const startedAt = performance.now();
  const times: Promise<number | null>[] = [];
  for (let at = 0; at < count; at++) {
    const early = startedAt + ((overMs ?? 0) * at) / count - performance.now();
    if (early > 0) await sleep(early);
    times.push(timeOf(at, withinMs));
    if (overMs === null) await times.at(-1);
  }
  return Promise.all(times);
}

async function timeOf(at: number, withinMs: number): Promise<number | null> {
  const giveUp = new AbortController();
  const late = sleep(withinMs, null, { signal: giveUp.signal }).catch(() => null);
  const time = await Promise.race([enter(at), late]);
  giveUp.abort();
  return time;
}

async function enter(at: number): Promise<number | null> {
  const startedAt = performance.now();
  const service = services[at % services.length];
  try {
    const result = await knock(profile, { ...(service && { service }) });
    if (!result.granted) return null;
    (await connectGranted(result)).destroy();
    return performance.now() - startedAt;
  } catch {
    return null; // no answer, or no connection
  }
}
