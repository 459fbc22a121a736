// Sends Requests of a peer with a pre-shared secret, one after the other; prints the microseconds to each Challenge as JSON.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const [port = '', count = '', ...requests] = process.argv.slice(2);
const socket = createSocket('udp4');
socket.connect(Number(port), '127.0.0.1');
await once(socket, 'connect');
const times: number[] = [];
for (let i = 0; i < Number(count); i++) {
  const answer = once(socket, 'message');
  const startedAt = performance.now();
  socket.send(Buffer.from(requests[i % requests.length] ?? '', 'hex'));
  await answer;
  times.push(performance.now() - startedAt);
}
socket.close();
process.stdout.write(JSON.stringify(times));
