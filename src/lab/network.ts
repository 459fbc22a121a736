import {
  execute,
  interfaceTo,
  link,
  makeTogether,
  type Namespace,
  pairOf,
  until,
} from './netns.ts';

/*
 * The addresses exist in our namespaces only: those of the documentation (RFC 5737) stand for the internet.
 *
 *   client    192.168.7.2 --.                                          .-- 192.0.2.2 server
 *                            nat 198.51.100.1 ---- 198.51.100.9 router
 *   neighbour 192.168.8.2 --'                                          '-- 203.0.113.9 stranger
 *
 * All packets between nat, stranger and server pass through a program on the router (wire-program.ts). The nat masquerades with
 * random ports, and lets nothing in that was not asked for. Without it the client has its address on the internet.
 * At 192.0.2.3, beside the server, there is nobody, and the router does not say so. A second server is at 192.0.2.130, once it was
 * asked for; what it sends does not pass through the program.
 */
export const addresses = {
  client: '192.168.7.2',
  neighbour: '192.168.8.2',
  /** What the server sees of both. */
  nat: '198.51.100.1',
  stranger: '203.0.113.9',
  server: '192.0.2.2',
  nobody: '192.0.2.3',
  twin: '192.0.2.130',
} as const;

/** The first ports that the NAT gives to the client, and to the neighbour. Only the timelines make use of them. */
export const FIRST_CLIENT_PORT = 20_000;
export const FIRST_NEIGHBOUR_PORT = 40_000;

/** The networks that the router is between. */
export const sides = ['nat', 'stranger', 'server'] as const;

export type Side = (typeof sides)[number];

const placeNames = ['client', 'neighbour', 'nat', 'router', 'stranger', 'server'] as const;

type PlaceName = (typeof placeNames)[number];

type Places = Readonly<Record<PlaceName, Namespace>>;

export interface Network extends Places {
  /** Makes the place of the second server, once. */
  addTwin(): Promise<Namespace>;
  remove(): Promise<void>;
}

/** Builds the network above; the router passes nothing on until its program runs and {@link leadThroughProgram} was called. */
export function buildNetwork({ behindNat }: { behindNat: boolean }): Promise<Network> {
  return makeTogether(async (create) => {
    const all = await Promise.all(
      placeNames.map(async (name) => [name, await create(name)] as const),
    );
    const places = Object.fromEntries(all) as Places;
    await connectAll(places);
    if (behindNat) await masquerade(places.nat);
    return { ...places, addTwin: async () => joinTwin(await create('twin'), places.router) };
  });
}

async function joinTwin(twin: Namespace, router: Namespace): Promise<Namespace> {
  const gateway = '192.0.2.129';
  await link(twin, [`${addresses.twin}/30`], router, [`${gateway}/30`]);
  await twin.exec(['ip', 'route', 'add', 'default', 'via', gateway]);
  return twin;
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

/** Which places are joined, with the address of each end. */
const links = [
  ['client', '192.168.7.2/24', 'nat', '192.168.7.1/24'],
  ['neighbour', '192.168.8.2/24', 'nat', '192.168.8.1/24'],
  ['nat', '198.51.100.1/24', 'router', '198.51.100.9/24'],
  ['stranger', '203.0.113.9/24', 'router', '203.0.113.1/24'],
  ['server', '192.0.2.2/24', 'router', '192.0.2.1/24'],
] as const;

const routes = [
  ['client', 'default', '192.168.7.1'],
  ['neighbour', 'default', '192.168.8.1'],
  ['nat', 'default', '198.51.100.9'],
  ['stranger', 'default', '203.0.113.1'],
  ['server', 'default', '192.0.2.1'],
  // for a client without NAT
  ['router', '192.168.0.0/16', '198.51.100.1'],
] as const;

// a packet may name any source: to stop that is not the router's business, and some attackers live by it
const forwarding = [
  'net.ipv4.ip_forward=1',
  'net.ipv4.conf.all.rp_filter=0',
  'net.ipv4.conf.default.rp_filter=0',
];

// a fragment whose others never come is given up, and that answered, after half a minute else
const forgetful = ['net.ipv4.ipfrag_time=1'];

const settings: Partial<Readonly<Record<PlaceName, readonly string[]>>> = {
  nat: [...forwarding, ...forgetful],
  router: forwarding,
  server: forgetful,
};

// one program for each place, with all that it has to do: to start a program is most of the work
async function connectAll(places: Places): Promise<void> {
  const pairs = links.map(([a, , b]) => `link add ${pairOf(places[a], places[b]).join(' ')}\n`);
  await execute(['ip', '-batch', '-'], { input: pairs.join('') });
  const all = placeNames.map((name) => [name, places[name]] as const);
  await Promise.all([
    ...all.map(([name, place]) => place.exec(['ip', '-batch', '-'], { input: setUp(name) })),
    ...all.map(([name, place]) => settle(place, settings[name])),
  ]);
  await Promise.all(all.map(([, place]) => until(() => isUp(place), `${place.name} to come up`)));
}

async function settle(place: Namespace, values: readonly string[] = []): Promise<void> {
  if (values.length > 0) await place.exec(['sysctl', '-q', '-w', ...values]);
}

/** What `ip` is told at a place: its ends of links, and then its routes. */
function setUp(place: PlaceName): string {
  const ends = links.flatMap(([a, ofA, b, ofB]) => [
    { at: a, to: b, address: ofA },
    { at: b, to: a, address: ofB },
  ]);
  const own = ends.filter(({ at }) => at === place);
  const lines = [
    ...own.flatMap(({ to, address }) => {
      const device = interfaceTo({ hint: to });
      return [`link set ${device} up`, `addr add ${address} dev ${device}`];
    }),
    ...routes
      .filter(([at]) => at === place)
      .map(([, to, gateway]) => `route add ${to} via ${gateway}`),
  ];
  if (place === 'router') lines.push(`route add blackhole ${addresses.nobody}`);
  return lines.map((line) => `${line}\n`).join('');
}

/** Whether all links of a place have a carrier: what is sent before is lost. */
async function isUp(place: Namespace): Promise<boolean> {
  const { stdout } = await place.exec(['ip', '-o', 'link', 'show', 'type', 'veth']);
  return !/state (?!UP)/.test(stdout);
}

async function masquerade(nat: Namespace): Promise<void> {
  const outside = interfaceTo({ hint: 'router' });
  const last = String(FIRST_NEIGHBOUR_PORT - 1);
  const input = `
    table ip nat {
      chain postrouting {
        type nat hook postrouting priority srcnat;
        oifname "${outside}" ip saddr ${addresses.client} meta l4proto { tcp, udp } masquerade to :${String(FIRST_CLIENT_PORT)}-${last} random,fully-random
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
