// Knocks again and again from where it is run, and connects each time; prints the milliseconds of each as JSON.
import { setTimeout as sleep } from 'node:timers/promises';
import { connectGranted } from '../../src/client/connect.ts';
import { knock } from '../../src/client/knock.ts';
import { readProfileFile } from '../../src/store/profile-file.ts';

/**
 * Between two knocks. The kernel keeps used-up elements until it collects them, once a second, and slows down when many of one
 * key have piled up: a client that knocked without a pause would time that.
 */
const PAUSE_MS = 20;

const [profileFile = '', count = ''] = process.argv.slice(2);
const profile = await readProfileFile(profileFile);
const knocks: number[] = [];
const connects: number[] = [];

for (let i = 0; i < Number(count); i++) {
  const startedAt = performance.now();
  const result = await knock(profile);
  const grantedAt = performance.now();
  if (!result.granted) throw new Error(result.reason);
  const socket = await connectGranted(result);
  const connectedAt = performance.now();
  socket.destroy();
  await sleep(PAUSE_MS);
  knocks.push(grantedAt - startedAt);
  connects.push(connectedAt - grantedAt);
}
process.stdout.write(JSON.stringify({ knocks, connects }));
