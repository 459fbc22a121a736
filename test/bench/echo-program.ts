// What node:dgram alone can do on this machine: answers each datagram with one as long that carries a MAC over it, and does nothing
// else. Tells on request what it counted and what that cost.
import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { openSocket } from '../../src/dgram-ext/open-socket.ts';
import { tellUsage } from './usage.ts';

const key = createSecretKey(randomBytes(32));
const socket = openSocket(4);
let answered = 0;
socket.on('message', (bytes, { address, port }) => {
  const mac = createHmac('sha256', key).update(bytes).digest();
  bytes.set(mac, bytes.length - mac.length);
  socket.send(bytes, port, address);
  answered++;
});
const bound = once(socket, 'listening');
socket.bind(0, '127.0.0.1');
await bound;
tellUsage(() => ({ received: answered, receiveDropped: 0, answered }));
process.on('disconnect', () => socket.close());
process.send?.({
  port: socket.address().port,
  tag: '00'.repeat(8),
  secret: '00'.repeat(32),
  responderId: '00'.repeat(16),
});
