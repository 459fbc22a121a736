// Run by `startRelay` in a namespace: hands datagrams on in both directions, late, out of order, twice or not at all.
import { type Socket, createSocket } from 'node:dgram';
import { seededRandom } from '../../src/dgram-ext/seeded-random.ts';
import type { RelayOptions } from './relay.ts';

const options = JSON.parse(process.argv[2] ?? '') as Required<RelayOptions>;
const random = seededRandom(options.seed);
const outward = new Map<string, Socket>();

const inside = createSocket('udp4');
inside.on('message', (bytes, { address, port }) => {
  const socket = outwardFor(address, port);
  pass(() => {
    socket.send(bytes, options.port, options.server);
  });
});
inside.bind(options.listenPort, () => {
  console.log('ready');
});

/** One socket a client, so that answers find their way back. */
function outwardFor(address: string, port: number): Socket {
  const key = `${address}:${String(port)}`;
  const known = outward.get(key);
  if (known !== undefined) return known;
  const socket = createSocket('udp4');
  socket.on('message', (bytes) => {
    pass(() => {
      inside.send(bytes, port, address);
    });
  });
  outward.set(key, socket);
  return socket;
}

/** Each copy takes its own time: that is what reorders. */
function pass(send: () => void): void {
  if (random() < options.loss) return;
  const copies = random() < options.duplication ? 2 : 1;
  for (let copy = 0; copy < copies; copy++) {
    const delayMs = options.minDelayMs + random() * (options.maxDelayMs - options.minDelayMs);
    setTimeout(send, delayMs);
  }
}
