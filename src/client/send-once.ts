import { setImmediate } from 'node:timers/promises';
import { connectDatagramSocket } from '../dgram-ext/connect.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { type Endpoint, formatEndpoint } from '../units/network.ts';

/**
 * Sends one datagram that nobody answers, made for the address that it goes from. Resolves with that when the system has taken it.
 * @throws {HknockError} `no-answer` when there is no way, or the system does not send it
 */
export async function sendOnce(
  remote: Endpoint,
  make: (from: Endpoint) => Uint8Array,
): Promise<Endpoint> {
  const socket = await connectDatagramSocket(remote);
  try {
    const [local = remote] = socket.local;
    socket.send(make(local), remote, local);
    let { sent, sendDropped } = socket.counters();
    while (sent + sendDropped === 0) {
      await setImmediate();
      ({ sent, sendDropped } = socket.counters());
    }
    if (sent > 0) return local;
    throw new HknockError('no-answer', `this machine did not send to ${formatEndpoint(remote)}`, {
      hint: 'a firewall of its own may be in the way',
    });
  } finally {
    await socket.close();
  }
}
