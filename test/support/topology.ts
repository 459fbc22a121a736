import { interfaceTo, link, makeTogether, type Namespace } from './netns.ts';

/*
 * The networks that port knocking behind NAT is about. The addresses exist in our namespaces only: documentation
 * ranges (RFC 5737, RFC 3849) stand for the internet, 100.64/10 (RFC 6598) for the inside of a carrier's NAT.
 *
 *   client    192.168.7.2 ------.
 *             2001:db8:7::2      \ .1  198.51.100.1     198.51.100.2 (and .3)
 *                                 nat ------------------ server
 *             192.168.8.2        / .1  2001:db8:100::1   2001:db8:100::2 (and ::3)
 *   neighbour 2001:db8:8::2 ----'
 *
 * With `cgnat` the home's NAT stands behind another one, the carrier's:
 *
 *   nat 100.64.9.2 ---------- 100.64.9.1 carrier 198.51.100.1 ------------ 198.51.100.2 server
 *       2001:db8:9::2      2001:db8:9::1         2001:db8:100::1        2001:db8:100::2
 *
 * Each NAT masquerades IPv4 with random ports, routes IPv6 as it is, and lets nothing in that was not asked for.
 * The server knows no way to the private addresses but its default gateway.
 */
export interface Topology {
  readonly client: Namespace;
  /** Another host behind the same NAT: to the server it has the client's IPv4 address. */
  readonly neighbour: Namespace;
  readonly nat: Namespace;
  readonly server: Namespace;
  remove(): Promise<void>;
}

export const addresses = {
  client: '192.168.7.2',
  client6: '2001:db8:7::2',
  neighbour: '192.168.8.2',
  neighbour6: '2001:db8:8::2',
  /** What the server sees of both over IPv4. */
  public: '198.51.100.1',
  server: '198.51.100.2',
  server6: '2001:db8:100::2',
  /** The server's other addresses, with `twoServerAddresses`. */
  secondServer: '198.51.100.3',
  secondServer6: '2001:db8:100::3',
} as const;

export interface TopologyOptions {
  readonly cgnat?: boolean;
  readonly twoServerAddresses?: boolean;
  /** Of a hundred packets, this many are lost at random in each direction, IPv4 and IPv6, all protocols. */
  readonly lossPercent?: number;
}

/** Builds the network above. Remove it with `cleanUp(t, () => topology.remove())`. */
export function natTopology(options: TopologyOptions = {}): Promise<Topology> {
  return makeTogether(async (create) => {
    const client = await create('client');
    const neighbour = await create('neighbour');
    const nat = await create('nat');
    const server = await create('server');
    await linkHome(nat, client, neighbour);
    const edge = options.cgnat === true ? await linkCarrier(nat, await create('carrier')) : nat;
    await linkServer(edge, server, options);
    if (options.lossPercent !== undefined) await loseAt(nat, options.lossPercent);
    return { client, neighbour, nat, server };
  });
}

/**
 * Gives a server the ordinary firewall that many have beside ours: nothing comes in but knocks and connections to port
 * 8080, which hknock protects. Then all ports are silent, and not just those.
 */
export async function dropByDefault(server: Namespace): Promise<void> {
  const input = `
    table inet filter {
      chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iif lo accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
        udp dport 62202 accept
        tcp dport 8080 accept
      }
    }`;
  await server.exec(['nft', '-f', '-'], { input });
}

async function linkHome(nat: Namespace, client: Namespace, neighbour: Namespace): Promise<void> {
  await forward(nat);
  await link(client, ['192.168.7.2/24', '2001:db8:7::2/64'], nat, [
    '192.168.7.1/24',
    '2001:db8:7::1/64',
  ]);
  await defaultVia(client, '192.168.7.1', '2001:db8:7::1');
  await link(neighbour, ['192.168.8.2/24', '2001:db8:8::2/64'], nat, [
    '192.168.8.1/24',
    '2001:db8:8::1/64',
  ]);
  await defaultVia(neighbour, '192.168.8.1', '2001:db8:8::1');
}

/** Puts the carrier's NAT in front of the home's, and gives the carrier. */
async function linkCarrier(nat: Namespace, carrier: Namespace): Promise<Namespace> {
  await forward(carrier);
  await link(nat, ['100.64.9.2/24', '2001:db8:9::2/64'], carrier, [
    '100.64.9.1/24',
    '2001:db8:9::1/64',
  ]);
  await defaultVia(nat, '100.64.9.1', '2001:db8:9::1');
  for (const home of ['2001:db8:7::/64', '2001:db8:8::/64']) {
    await carrier.exec(['ip', '-6', 'route', 'add', home, 'via', '2001:db8:9::2']);
  }
  await masquerade(nat, interfaceTo(carrier));
  return carrier;
}

async function linkServer(
  edge: Namespace,
  server: Namespace,
  { twoServerAddresses = false }: TopologyOptions,
): Promise<void> {
  const second = [`${addresses.secondServer}/24`, `${addresses.secondServer6}/64`];
  await link(edge, ['198.51.100.1/24', '2001:db8:100::1/64'], server, [
    `${addresses.server}/24`,
    `${addresses.server6}/64`,
    ...(twoServerAddresses ? second : []),
  ]);
  await defaultVia(server, '198.51.100.1', '2001:db8:100::1');
  await masquerade(edge, interfaceTo(server));
}

async function forward(router: Namespace): Promise<void> {
  const settings = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
  await router.exec(['sysctl', '-q', '-w', ...settings]);
}

async function defaultVia(from: Namespace, gateway: string, gateway6: string): Promise<void> {
  const input = `route add default via ${gateway}\nroute add default via ${gateway6}\n`;
  await from.exec(['ip', '-batch', '-'], { input });
}

async function masquerade(router: Namespace, outside: string): Promise<void> {
  const input = `
    table inet nat {
      chain postrouting {
        type nat hook postrouting priority srcnat;
        meta nfproto ipv4 oifname "${outside}" masquerade random,fully-random
      }
      chain forward {
        type filter hook forward priority filter;
        iifname "${outside}" ct state new drop
      }
    }`;
  await router.exec(['nft', '-f', '-'], { input });
}

async function loseAt(router: Namespace, percent: number): Promise<void> {
  const input = `
    table inet loss {
      chain forward {
        type filter hook forward priority filter + 10;
        numgen random mod 100 < ${String(percent)} drop
      }
    }`;
  await router.exec(['nft', '-f', '-'], { input });
}
