import { interfaceTo } from './netns.ts';
import { addresses, type Network } from './network.ts';

/** A table of the laboratory's own in the server's kernel. */
const TABLE = 'hknock_lab_count';

/** Counts what the stranger sends from now on where it comes to the server; gives how many packets have. */
export async function countArrivals({
  router,
  server,
}: Pick<Network, 'router' | 'server'>): Promise<() => Promise<number>> {
  const counter = `ip saddr ${addresses.stranger} counter`;
  const input = `table netdev ${TABLE} { chain arrivals { type filter hook ingress device "${interfaceTo(router)}" priority -500; ${counter}; }; }`;
  await server.exec(['nft', '-f', '-'], { input });
  return async () => {
    const { stdout } = await server.exec(['nft', 'list', 'table', 'netdev', TABLE]);
    return Number(/counter packets (\d+)/.exec(stdout)?.[1]);
  };
}
