import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const FIRST = 10_000;
const AFTER_LAST = 32_000;
/** Has no divisor in common with the number of ports: so all have their turn. */
const STEP = 101;

let next = randomInt(FIRST, AFTER_LAST);

/**
 * A port that nobody has, by TCP or UDP, and that the system gives to no outgoing connection (32768 and up on Linux). Nobody else in this
 * process is given it either: many ask before the first of them binds his.
 */
export async function freePort(): Promise<number> {
  const port = next;
  next = FIRST + ((next - FIRST + STEP) % (AFTER_LAST - FIRST));
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
