import { freePort } from '../support/free-port.ts';
import { Machine, type Place, here } from '../support/machine.ts';
import { namespaces } from '../support/probe.ts';
import { isInstalled } from '../support/programs.ts';
import { addresses, dropByDefault, natTopology } from '../support/topology.ts';

export type Player = 'client' | 'neighbour' | 'server';

/** Where the demo plays: its machines and their addresses. */
export interface Stage extends Readonly<Record<Player, Machine>> {
  /** What there is to see, a line each. */
  readonly picture: readonly string[];
  /** The server as `nmap` would scan it; null where there is more on the machine than the demo's server. */
  readonly scan: readonly string[] | null;
  readonly firewall: 'nftables' | 'userspace';
  /** The server's address and UDP port for knocks. */
  readonly listen: { readonly address: string; readonly port: number };
  /** The TCP port that is shut to strangers. */
  readonly servicePort: number;
  /** Where the service really is; null when the firewall lets connections through to the port itself. */
  readonly upstreamPort: number | null;
  /** Source addresses where client and neighbour are one machine; null where each has its own. */
  readonly sources: Readonly<Record<'client' | 'neighbour', string>> | null;
  /** The client's address as the server should see it, and as the client knows it. */
  readonly observed: string;
  readonly claimed: string;
  remove(): Promise<void>;
}

const nmap = 'nmap -n -Pn -sS --min-rate 3000 --max-retries 0 -p 1-1024,8080'.split(' ');

/** Four machines in network namespaces where this is possible and nobody asks for less, else loopback. */
export function buildStage({ loopback }: { readonly loopback: boolean }): Promise<Stage> {
  if (loopback) return loopbackStage('you asked for --loopback');
  return namespaces.available ? networkStage() : loopbackStage(namespaces.reason);
}

async function networkStage(): Promise<Stage> {
  const topology = await natTopology();
  await dropByDefault(topology.server);
  return {
    picture: [
      'Four machines, each in a network namespace of its own:',
      '',
      `  client    ${addresses.client} --.`,
      `                            NAT ${addresses.public} ------ server ${addresses.server}`,
      `  neighbour ${addresses.neighbour} --'   (random ports)         (nftables)`,
    ],
    ...inhabit(topology, () => topology.remove()),
    // hknock has its ports shut; that all others are silent too is the ordinary firewall's doing
    scan: isInstalled('nmap') ? [...nmap, addresses.server] : null,
    firewall: 'nftables',
    listen: { address: addresses.server, port: 62_202 },
    servicePort: 8080,
    upstreamPort: null,
    sources: null,
    observed: addresses.public,
    claimed: addresses.client,
  };
}

async function loopbackStage(reason: string): Promise<Stage> {
  const knocks = await freePort();
  const service = await freePort();
  const upstream = await freePort();
  return {
    picture: [
      `Everything on loopback, with the firewall in user space, because ${reason}:`,
      '',
      '  client    127.0.0.1',
      '  neighbour 127.0.0.2',
      '  server    127.0.0.1, with a forwarder in front of the service',
    ],
    ...inhabit({ client: here, neighbour: here, server: here }),
    scan: null,
    firewall: 'userspace',
    listen: { address: '127.0.0.1', port: knocks },
    servicePort: service,
    upstreamPort: upstream,
    sources: { client: '127.0.0.1', neighbour: '127.0.0.2' },
    observed: '127.0.0.1',
    claimed: '127.0.0.1',
  };
}

/** Puts a machine in each place, and says how to take them all away. */
function inhabit(
  places: Readonly<Record<Player, Place>>,
  removePlaces?: () => Promise<void>,
): Pick<Stage, Player | 'remove'> {
  const machines = {
    client: new Machine(places.client),
    neighbour: new Machine(places.neighbour),
    server: new Machine(places.server),
  };
  const remove = async (): Promise<void> => {
    await Promise.all(Object.values(machines).map((machine) => machine.remove()));
    await removePlaces?.();
  };
  return { ...machines, remove };
}
