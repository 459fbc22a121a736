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
 * A port that nobody has, by TCP or UDP, and that the system gives to no outgoing connection (32768 and up on Linux). Nobody else is given
 * it either, in this process or, on Linux, in another: many ask before the first of them binds his.
 */
export async function freePort(): Promise<number> {
  const port = next;
  next = FIRST + ((next - FIRST + STEP) % (AFTER_LAST - FIRST));
  if (process.platform === 'linux' && !(await reserve(port))) return freePort();
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

/** Whether the port is ours: as long as this process lives it has a name that only one can have (unix(7), abstract sockets). */
async function reserve(port: number): Promise<boolean> {
  const holder = createServer().unref();
  const held = once(holder.listen(`\0hknock-test-port-${String(port)}`), 'listening');
  return held.then(
    () => true,
    () => false,
  );
}
