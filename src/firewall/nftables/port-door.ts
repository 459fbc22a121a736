import { familyOf, parseAddress } from '../../bytes/address.ts';
import type { IpAddress } from '../../units/network.ts';
import {
  type Family,
  guessesName,
  laneSize,
  mapName,
  spentName,
  type TableOptions,
  TABLE,
  targetName,
} from './layout.ts';

/**
 * SYNs a second from one address of which the sequence number is looked at, while a grant for `bound` waits for it.
 * In 30 s that makes 3100 numbers out of 2^32.
 */
const SEQUENCES_PER_SECOND = 100;

/** How the kernel builds the keys of a family, and what it wants for the data of a deletion. */
export interface Keys {
  readonly saddr: string;
  readonly port: string;
  readonly sequence: string;
  /** As `port`, with the first bits of the address in place of all: nft 1.0.6 knows no mask in a key. */
  readonly prefix: string;
  readonly unused: string;
}

/**
 * The data of a deletion from a map: the grammar wants some, the kernel ignores it. nft before 1.0.8 counts 16 bytes
 * for any key (netlink_linearize.c, netlink_gen_map_stmt) and would load the data over bytes 8 to 11 of an IPv6
 * address that ends the key, so these same bytes are the data. It also refuses the address anywhere but at the end.
 */
export function keysOf(family: Family): Keys {
  const saddr = family === 4 ? 'ip saddr' : 'ip6 saddr';
  const start = family === 4 ? '@nh,96,24' : '@nh,64,64';
  return {
    saddr,
    port: `meta l4proto . th dport . ${saddr}`,
    prefix: `meta l4proto . th dport . ${start}`,
    sequence: `tcp dport . tcp sequence . ${saddr}`,
    unused: family === 4 ? 'ct mark' : '@nh,128,32',
  };
}

/**
 * The door for `port`, before any other chain sees the connection: the first one to a port that stands in the map is
 * led to the service, with the mark by which the other chains let it in. Who has made more guesses than he may is noted,
 * and gets nowhere from then on: the kernel keeps to that by itself, however fast the guesses come, and we close his
 * grants when we see it. Sent again, it changes nothing.
 */
export function renderPortDoor(
  family: Family,
  { ports: { first, last }, portGuesses }: TableOptions,
): readonly string[] {
  const { saddr, port, unused } = keysOf(family);
  const [map, target, spent] = [mapName('port', family, 0), targetName(family), spentName(family)];
  const chain = `${TABLE} ports${String(family)}`;
  const ours = `meta l4proto { tcp, udp } th dport ${String(first)}-${String(last)}`;
  const consume = `ct mark set ${port} map @${map} delete @${map} { ${port} : ${unused} }`;
  return [
    guessesSet('port', family, `over 1/day burst ${String(portGuesses)}`),
    `add set ${TABLE} ${spent} { type ipv${String(family)}_addr; size 65536; flags timeout,dynamic; }`,
    `add map ${TABLE} ${target} { type inet_proto . inet_service . ipv${String(family)}_addr : inet_service; size ${String(laneSize(0))}; flags timeout; }`,
    `add chain ${chain} { type nat hook prerouting priority dstnat; policy accept; }`,
    `flush chain ${chain}`,
    ...[
      // a stray packet of some old connection must not use up a grant
      'tcp flags & (fin | syn | rst | ack) != syn return',
      `${saddr} @${spent} return`,
      `${ours} ${saddr} @${guessesName('port', family)} add @${spent} { ${saddr} timeout 10s } return`,
      `${ours} ${consume} dnat to :${port} map @${target}`,
    ].map((rule) => `add rule ${chain} ${rule}`),
  ];
}

/** Lets a source that has spent its guesses begin anew: its count goes too, or the next of its packets would be one too many. */
export function renderForgive(source: IpAddress): readonly string[] {
  const family = familyOf(source);
  return [spentName(family), guessesName('port', family)].flatMap((set) => [
    `add element ${TABLE} ${set} { ${source} }`,
    `delete element ${TABLE} ${set} { ${source} }`,
  ]);
}

/** Reads what `nft list set` says of the sources that have spent their guesses. */
export function parseSpent(listed: string): readonly IpAddress[] {
  const elements = /elements = \{([^}]*)\}/.exec(listed)?.[1] ?? '';
  return elements
    .split(',')
    .flatMap((each) => parseAddress(each.trim().split(/\s/)[0] ?? '') ?? []);
}

/** The set that says how often a source may try for a grant for `bound`: an element is found as long as it may. */
export function renderSequenceGuesses(family: Family): string {
  const perSecond = String(SEQUENCES_PER_SECOND);
  return guessesSet('bound', family, `${perSecond}/second burst ${perSecond}`);
}

// each element counts by itself; only grants add elements, so strangers cannot fill it
function guessesSet(admission: 'port' | 'bound', family: Family, rate: string): string {
  return `add set ${TABLE} ${guessesName(admission, family)} { type ipv${String(family)}_addr; size ${String(laneSize(0))}; flags timeout,dynamic; limit rate ${rate} packets; }`;
}
