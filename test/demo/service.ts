// The service that the demo protects: greets whoever gets in, and stays on the line until they hang up.
import { createServer } from 'node:net';

const [port, address] = process.argv.slice(2);

createServer((socket) => {
  socket.on('error', () => undefined).resume();
  socket.write('Welcome to the service.\n');
}).listen(Number(port), address, () => {
  console.log('ready');
});
