import { interfaceTo } from './netns.ts';
import { addresses, type Network } from './network.ts';

/** A table of the laboratory's own in a host's kernel. */
const TABLE = 'hknock_lab_count';

/** Counts from now on, where it comes to the server or to the stranger, what the stranger sends or gets; gives how many packets have. */
export async function countArrivals(
  network: Network,
  at: 'server' | 'stranger',
): Promise<() => Promise<number>> {
  const counter = `ip ${at === 'server' ? 'saddr' : 'daddr'} ${addresses.stranger} counter`;
  const device = interfaceTo(network.router);
  const input = `table netdev ${TABLE} { chain arrivals { type filter hook ingress device "${device}" priority -500; ${counter}; }; }`;
  await network[at].exec(['nft', '-f', '-'], { input });
  return async () => {
    const { stdout } = await network[at].exec(['nft', 'list', 'table', 'netdev', TABLE]);
    return Number(/counter packets (\d+)/.exec(stdout)?.[1]);
  };
}
