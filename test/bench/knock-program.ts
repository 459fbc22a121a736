// Knocks again and again from where it is run, and connects each time; prints the milliseconds of each as JSON.
import { connectGranted } from '../../src/client/connect.ts';
import { knock } from '../../src/client/knock.ts';
import { readProfileFile } from '../../src/store/profile-file.ts';

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
  knocks.push(grantedAt - startedAt);
  connects.push(connectedAt - grantedAt);
}
process.stdout.write(JSON.stringify({ knocks, connects }));
