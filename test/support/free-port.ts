import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port that nobody has, by TCP or UDP, and that the system gives to no outgoing connection (32768 and up on Linux). */
export async function freePort(): Promise<number> {
  const port = randomInt(10_000, 32_000);
  const server = createServer();
  const socket = createSocket('udp4');
  try {
    await once(server.listen(port, '0.0.0.0'), 'listening');
    await once(socket.bind(port), 'listening');
    return port;
  } catch {
    return await freePort();
  } finally {
    server.close();
    socket.close();
  }
}
