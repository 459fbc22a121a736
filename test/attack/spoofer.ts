import { fileURLToPath } from 'node:url';
import type { Deployment } from '../support/deployment.ts';
import { Machine } from '../support/machine.ts';
import { Namespace, cleanUp, interfaceTo, link, type Owner, until } from '../support/netns.ts';
import { talkTo } from '../support/talk.ts';
import { addresses } from '../support/topology.ts';

/** The spoofer's own address on its way to the server. */
export const spoofersAddress = '203.0.113.9';

const PATIENT_MS = 30_000;
const AGAIN_AFTER_MS = 3000;

/** Packets to be sent; spoofer.py says what each field is. */
export interface Order {
  readonly from: string;
  readonly fromPort?: number;
  readonly to: string;
  readonly ports: readonly number[];
  readonly times?: number;
  readonly udp?: readonly [hex: string, length: number];
  readonly tcp?: number;
}

export interface Spoofer {
  readonly machine: Machine;
  send(order: Order): Promise<void>;
  /** The same, until they have had their effect: a busy machine loses some. */
  sendUntil(order: Order, check: () => Promise<boolean> | boolean, what: string): Promise<void>;
  /** How many packets have come in so far that are the spoofer's to see. */
  heard(): Promise<number>;
}

/**
 * Puts somebody on the internet whose packets are carried to the server and to the client's NAT whatever source address they have, and who
 * sees nothing of what goes between these:
 *
 *     client --- nat ------------------ server
 *                 '--- spoofer ---------'
 */
export async function addSpoofer(
  owner: Owner,
  { topology: { nat, server } }: Pick<Deployment, 'topology'>,
): Promise<Spoofer> {
  const place = await Namespace.create('spoofer');
  cleanUp(owner, () => place.remove());
  const machine = new Machine(place);
  cleanUp(owner, () => machine.remove());
  await link(place, [`${spoofersAddress}/24`], server, ['203.0.113.1/24']);
  await link(place, ['192.0.2.9/24'], nat, ['192.0.2.1/24']);
  await place.exec(['ip', 'route', 'add', addresses.server, 'via', '203.0.113.1']);
  await place.exec(['ip', 'route', 'add', addresses.public, 'via', '192.0.2.1']);
  for (const each of [nat, server]) {
    const filters = ['all', interfaceTo(place)].map((on) => `net.ipv4.conf.${on}.rp_filter=0`);
    await each.exec(['sysctl', '-q', '-w', ...filters]);
  }
  const program = fileURLToPath(new URL('spoofer.py', import.meta.url));
  const child = place.spawn(['python3', '-B', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const say = talkTo(child);
  const send = async (order: Order): Promise<void> => {
    await say(JSON.stringify({ fromPort: 0, ...order }));
  };
  const sendUntil: Spoofer['sendUntil'] = async (order, check, what) => {
    const end = performance.now() + PATIENT_MS;
    for (;;) {
      await send(order);
      try {
        await until(check, what, AGAIN_AFTER_MS);
        return;
      } catch (fault) {
        if (performance.now() > end) throw fault;
      }
    }
  };
  const nothing = { from: spoofersAddress, to: spoofersAddress, ports: [] };
  return {
    machine,
    send,
    sendUntil,
    heard: async () => Number(await say(JSON.stringify(nothing))),
  };
}
