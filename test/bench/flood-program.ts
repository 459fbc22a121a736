// Sends one datagram over and over to a port on loopback, as fast as it may, until it has sent so many or is ended.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** Sent before the event loop gets its turn: long enough to be fast, short enough to be ended. */
const AT_ONCE = 64;

const [port = '', hex = '', total = ''] = process.argv.slice(2);
const datagram = Buffer.from(hex, 'hex');
const socket = createSocket('udp4');
socket.on('error', () => undefined);
socket.connect(Number(port), '127.0.0.1');
await once(socket, 'connect');

let left = Number(total);
let inFlight = 0;
const sent = (): void => {
  if (--inFlight === 0) next();
};

function next(): void {
  if (left <= 0) {
    socket.close();
    return;
  }
  for (inFlight = 0; inFlight < Math.min(AT_ONCE, left); inFlight++) socket.send(datagram, sent);
  left -= inFlight;
}

next();
