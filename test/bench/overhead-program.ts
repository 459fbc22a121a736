// Reaches services with and without a knock, in turn, by TCP and UDP, from where it is run; prints the milliseconds of each as JSON.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { connectGranted } from '../../src/client/connect.ts';
import { knock, type KnockGranted } from '../../src/client/knock.ts';
import { readProfileFile } from '../../src/store/profile-file.ts';
import { parseServiceName } from '../../src/units/names.ts';

const [profileFile = '', count = '', shutEcho, openWeb, openEcho] = process.argv.slice(2);
const profile = await readProfileFile(profileFile);
const [web, echo] = ['web', 'echo'].map(parseServiceName);
const tcp = { without: [] as number[], withKnock: [] as number[] };
const udp = { without: [] as number[], withKnock: [] as number[] };
let server = '';

for (let i = 0; i < Number(count); i++) {
  tcp.withKnock.push(
    await timeOf(async () => {
      (await connectGranted(await grantFor(web))).destroy();
    }),
  );
  tcp.without.push(
    await timeOf(async () => {
      const socket = connect({ host: server, port: Number(openWeb) });
      await once(socket, 'connect');
      socket.destroy();
    }),
  );
  udp.withKnock.push(
    await timeOf(async () => {
      await grantFor(echo);
      await echoFrom(Number(shutEcho));
    }),
  );
  udp.without.push(await timeOf(() => echoFrom(Number(openEcho))));
}
process.stdout.write(JSON.stringify({ tcp, udp }));

async function timeOf(reach: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await reach();
  return performance.now() - startedAt;
}

async function grantFor(service: typeof web): Promise<KnockGranted> {
  const result = await knock(profile, { ...(service && { service }) });
  if (!result.granted) throw new Error(result.reason);
  ({ server } = result);
  return result;
}

async function echoFrom(port: number): Promise<void> {
  const socket = createSocket('udp4');
  const answered = once(socket, 'message');
  socket.send('there?', port, server);
  await answered;
  socket.close();
}
