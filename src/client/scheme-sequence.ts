import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Hit } from '../sequence/scheme.ts';
import type { IpAddress, Port } from '../units/network.ts';
import { sendEcho } from './echo.ts';
import { sendDatagrams } from './sequence.ts';

/** Between two packets: most networks keep them in order then, and order is what these schemes go by. */
const GAP_MS = 10;

/**
 * Sends the packets of a scheme, one after the other, each from a port of its own: a second one to the same port would else pass for
 * the first, sent again. Nobody answers; resolves when all have been handed to the system.
 * @throws {HknockError} `host` when there is an echo request among them and no program that sends it
 */
export async function sendHits(address: IpAddress, hits: readonly Hit[]): Promise<void> {
  const sockets: Socket[] = [];
  try {
    for (const { protocol, port, delayMs = GAP_MS } of hits) {
      await setTimeout(delayMs);
      if (protocol === 'udp') {
        await sendDatagrams(address, [port as Port]);
      } else if (protocol === 'icmp') {
        await sendEcho(address);
      } else {
        // refused or unanswered: it has been heard all the same
        sockets.push(connect({ host: address, port }).on('error', () => undefined));
      }
    }
    await setTimeout(GAP_MS);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}
