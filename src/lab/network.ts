import { interfaceTo, link, makeTogether, type Namespace } from './netns.ts';

/*
 * The addresses exist in our namespaces only: those of the documentation (RFC 5737) stand for the internet.
 *
 *   client    192.168.7.2 --.                                          .-- 192.0.2.2 server
 *                            nat 198.51.100.1 ---- 198.51.100.9 router
 *   neighbour 192.168.8.2 --'                                          '-- 203.0.113.9 stranger
 *
 * All packets between nat, stranger and server pass through a program on the router (wire-program.ts). The nat masquerades with
 * random ports, and lets nothing in that was not asked for. Without it the client has its address on the internet.
 * At 192.0.2.3, beside the server, there is nobody, and the router does not say so.
 */
export const addresses = {
  client: '192.168.7.2',
  neighbour: '192.168.8.2',
  /** What the server sees of both. */
  nat: '198.51.100.1',
  stranger: '203.0.113.9',
  server: '192.0.2.2',
  nobody: '192.0.2.3',
} as const;

/** The first port that the NAT gives to the neighbour; below are the client's. Only the timelines make use of it. */
export const FIRST_NEIGHBOUR_PORT = 40_000;

/** The networks that the router is between. */
export const sides = ['nat', 'stranger', 'server'] as const;

export type Side = (typeof sides)[number];

export interface Network {
  readonly client: Namespace;
  readonly neighbour: Namespace;
  readonly nat: Namespace;
  readonly router: Namespace;
  readonly stranger: Namespace;
  readonly server: Namespace;
  remove(): Promise<void>;
}

/** Builds the network above; the router passes nothing on until its program runs and {@link leadThroughProgram} was called. */
export function buildNetwork({ behindNat }: { behindNat: boolean }): Promise<Network> {
  return makeTogether(async (create) => {
    const hints = ['client', 'neighbour', 'nat', 'router', 'stranger', 'server'] as const;
    const all = await Promise.all(hints.map(async (hint) => [hint, await create(hint)] as const));
    const places = Object.fromEntries(all) as unknown as Omit<Network, 'remove'>;
    await connectAll(places);
    if (behindNat) await masquerade(places.nat);
    return places;
  });
}

/** Leads all that comes to the router from a side to the device from which its program reads that side's packets. */
export async function leadThroughProgram({ router }: Network): Promise<void> {
  const commands = sides.flatMap((side, at) => [
    `link set from-${side} up`,
    `rule add iif to-${side} lookup ${String(100 + at)}`,
    `route add default dev from-${side} table ${String(100 + at)}`,
  ]);
  await router.exec(['ip', '-batch', '-'], { input: `${commands.join('\n')}\n` });
}

async function connectAll(places: Omit<Network, 'remove'>): Promise<void> {
  const { client, neighbour, nat, router, stranger, server } = places;
  // a packet may name any source: to stop that is not the router's business, and some attackers live by it
  const settings = ['net.ipv4.ip_forward=1', 'net.ipv4.conf.all.rp_filter=0'];
  for (const place of [nat, router]) {
    await place.exec(['sysctl', '-q', '-w', ...settings, 'net.ipv4.conf.default.rp_filter=0']);
  }
  // a fragment whose others never come is given up, and that answered, after half a minute else
  for (const place of [nat, server]) {
    await place.exec(['sysctl', '-q', '-w', 'net.ipv4.ipfrag_time=1']);
  }
  await Promise.all([
    link(client, ['192.168.7.2/24'], nat, ['192.168.7.1/24']),
    link(neighbour, ['192.168.8.2/24'], nat, ['192.168.8.1/24']),
    link(nat, ['198.51.100.1/24'], router, ['198.51.100.9/24']),
    link(stranger, ['203.0.113.9/24'], router, ['203.0.113.1/24']),
    link(server, ['192.0.2.2/24'], router, ['192.0.2.1/24']),
  ]);
  await Promise.all([
    routeVia(client, 'default', '192.168.7.1'),
    routeVia(neighbour, 'default', '192.168.8.1'),
    routeVia(nat, 'default', '198.51.100.9'),
    routeVia(stranger, 'default', '203.0.113.1'),
    routeVia(server, 'default', '192.0.2.1'),
    // for a client without NAT
    routeVia(router, '192.168.0.0/16', '198.51.100.1'),
    router.exec(['ip', 'route', 'add', 'blackhole', addresses.nobody]),
  ]);
}

async function routeVia(from: Namespace, to: string, gateway: string): Promise<void> {
  await from.exec(['ip', 'route', 'add', to, 'via', gateway]);
}

async function masquerade(nat: Namespace): Promise<void> {
  const outside = interfaceTo({ hint: 'router' });
  const last = String(FIRST_NEIGHBOUR_PORT - 1);
  const input = `
    table ip nat {
      chain postrouting {
        type nat hook postrouting priority srcnat;
        oifname "${outside}" ip saddr ${addresses.client} meta l4proto { tcp, udp } masquerade to :20000-${last} random,fully-random
        oifname "${outside}" ip saddr ${addresses.neighbour} meta l4proto { tcp, udp } masquerade to :${String(FIRST_NEIGHBOUR_PORT)}-59999 random,fully-random
        oifname "${outside}" masquerade
      }
      chain forward {
        type filter hook forward priority filter;
        iifname "${outside}" ct state new drop
      }
    }`;
  await nat.exec(['nft', '-f', '-'], { input });
}
