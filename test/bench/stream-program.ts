// A service on loopback, alone in its process: is told `take` or `give` and a number of bytes, and takes or gives so many.
import { createServer, type AddressInfo, type Socket } from 'node:net';

const chunk = Buffer.alloc(65_536, 'x');

function take(socket: Socket, wanted: number): void {
  let left = wanted;
  socket.on('data', ({ length }: Buffer) => {
    left -= length;
    if (left === 0) socket.end('taken');
  });
}

function give(socket: Socket, wanted: number): void {
  let left = wanted;
  const more = (): void => {
    while (left > 0) {
      left -= chunk.length;
      if (!socket.write(chunk)) return;
    }
    socket.end();
  };
  socket.on('drain', more);
  more();
}

const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => undefined);
  socket.once('data', (order: Buffer) => {
    const [what, bytes] = String(order).split(' ');
    (what === 'take' ? take : give)(socket, Number(bytes));
    if (what === 'take') socket.write('go');
  });
});
server.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.on('disconnect', () => process.exit());
