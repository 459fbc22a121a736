// Run by sknock.test.ts on a client: `ADDRESS PORT SERVER-CERTIFICATE KNOCKS`, the last as JSON. Sends knocks, and shares no code with the
// server. Prints any answer.
import { createSocket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { datagramOf, type Knock } from '../support/sknock-packets.ts';

const [address = '', port, server = '', knocks = ''] = process.argv.slice(2);
const socket = createSocket(isIPv4(address) ? 'udp4' : 'udp6');
socket.on('message', (answer) => {
  console.log(`answered with ${String(answer.length)} bytes`);
});
for (const each of JSON.parse(knocks) as Knock[]) {
  await new Promise((sent) => {
    socket.send(datagramOf(each, server), Number(port), address, sent);
  });
}
setTimeout(() => socket.close(), 300);
