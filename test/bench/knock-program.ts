// Knocks again and again from where it is run, and connects each time, also to a port that is not shut; prints the milliseconds of each as JSON.
import { once } from 'node:events';
import { connect } from 'node:net';
import { connectGranted } from '../../src/client/connect.ts';
import { knock } from '../../src/client/knock.ts';
import { readProfileFile } from '../../src/store/profile-file.ts';

const [profileFile = '', count = '', openPort = ''] = process.argv.slice(2);
const profile = await readProfileFile(profileFile);
const knocks: number[] = [];
const connects: number[] = [];
const plain: number[] = [];

for (let i = 0; i < Number(count); i++) {
  const startedAt = performance.now();
  const result = await knock(profile);
  const grantedAt = performance.now();
  if (!result.granted) throw new Error(result.reason);
  const socket = await connectGranted(result);
  const connectedAt = performance.now();
  socket.destroy();
  const open = connect({ host: result.server, port: Number(openPort) });
  await once(open, 'connect');
  open.destroy();
  plain.push(performance.now() - connectedAt);
  knocks.push(grantedAt - startedAt);
  connects.push(connectedAt - grantedAt);
}
process.stdout.write(JSON.stringify({ knocks, connects, plain }));
