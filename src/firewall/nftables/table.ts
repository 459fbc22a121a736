import type { ServicePort } from '../../units/network.ts';
import type { Family, KernelAdmission, LaneCount } from './layout.ts';
import {
  beforeName,
  families,
  FIRST_LANES,
  hex,
  kernelAdmissions,
  laneSize,
  mapName,
  TABLE,
} from './layout.ts';
import { OUR_MARKS } from './marks.ts';

interface LaneMap {
  readonly name: string;
  readonly admission: KernelAdmission;
  readonly lane: number;
}

interface Layout {
  readonly lanes: LaneCount;
  /**
   * Whose established connections live on: those of all, or of those alone that we let in. When somebody has flushed
   * our table, strangers have come in since.
   */
  readonly established: 'all' | 'ours';
}

const first: Layout = { lanes: () => FIRST_LANES, established: 'all' };

/**
 * The commands that make the whole table, in place of whatever an earlier run of ours left. In one
 * transaction of the kernel the ports are shut at every instant.
 */
export function renderInstall(
  ports: readonly ServicePort[],
  { lanes, established }: Layout = first,
): readonly string[] {
  return [
    ...renderRemoval(),
    `add table ${TABLE}`,
    ...sets(),
    ...chains(),
    ...doorRules(established),
    ...families.flatMap((family) => renderLanes(family, lanes)),
    ...addPorts(ports),
  ];
}

/** Makes the lanes of a family as many as these; may be sent twice. */
export function renderLanes(family: Family, lanes: LaneCount): readonly string[] {
  const maps = laneMaps(family, lanes);
  const chain = `${TABLE} ${lanesName(family)}`;
  const rules = [...maps.map((map) => laneRule(family, map)), 'drop'];
  return [
    ...maps.map((map) => laneMap(family, map)),
    `flush chain ${chain}`,
    ...rules.map((rule) => `add rule ${chain} ${rule}`),
  ];
}

/** Takes the table away, whether or not it is there. */
export function renderRemoval(): readonly string[] {
  return [`add table ${TABLE}`, `delete table ${TABLE}`];
}

/** Takes all grants away and leaves the door: nobody new gets in. */
export function renderShut(lanes: LaneCount): readonly string[] {
  return families
    .flatMap((family) => laneMaps(family, lanes))
    .map(({ name }) => `flush map ${TABLE} ${name}`);
}

/** Protects these ports and no others. */
export function renderProtect(ports: readonly ServicePort[]): readonly string[] {
  return [`flush set ${TABLE} protected`, ...addPorts(ports)];
}

/** Adds what is there already: changes nothing, and fails when the table has gone. */
export function renderCheck(ports: readonly ServicePort[]): readonly string[] {
  return addPorts(ports);
}

function addPorts(ports: readonly ServicePort[]): readonly string[] {
  if (ports.length === 0) return [];
  const elements = ports.map(({ protocol, port }) => `${protocol} . ${String(port)}`);
  return [`add element ${TABLE} protected { ${elements.join(', ')} }`];
}

function sets(): readonly string[] {
  return [
    `add set ${TABLE} protected { type inet_proto . inet_service; }`,
    ...families.map(
      (family) =>
        `add set ${TABLE} ${beforeName(family)} { type ipv${String(family)}_addr . inet_service . inet_service; size 65536; flags timeout; }`,
    ),
  ];
}

// just before the usual filter chains: what we accept they still judge, what we drop they never see
function chains(): readonly string[] {
  return [
    `add chain ${TABLE} input { type filter hook input priority filter - 10; policy accept; }`,
    ...['door', ...families.map(lanesName)].map((name) => `add chain ${TABLE} ${name}`),
    `add rule ${TABLE} input iif lo accept`,
    `add rule ${TABLE} input meta l4proto . th dport @protected goto door`,
  ];
}

function doorRules(established: 'all' | 'ours'): readonly string[] {
  return [
    // Not the other direction: when a cut has deleted the entry of a connection, the server's next packet makes
    // a new one, in which the client's packets would pass for answers. And not `related`: a helper such as that
    // of FTP can be talked into expecting a connection to any port.
    ...(established === 'all' ? ['ct state established ct direction original accept'] : []),
    // more of a connection that we let in and that nobody has answered yet: a repeated SYN, a burst of UDP
    `ct mark & ${hex(OUR_MARKS.mask)} == ${hex(OUR_MARKS.value)} accept`,
    ...families.map(beforeRule),
    // a stray packet of some old connection from the same address must not use up a grant
    'tcp flags & (fin | syn | rst | ack) != syn drop',
    `meta nfproto ipv4 goto ${lanesName(4)}`,
    `goto ${lanesName(6)}`,
  ].map((rule) => `add rule ${TABLE} door ${rule}`);
}

// without SYN, so that no new connection gets in by it
function beforeRule(family: Family): string {
  const tuple = `${ip(family)} saddr . tcp sport . tcp dport`;
  return `tcp flags & syn == 0 ${tuple} @${beforeName(family)} ct mark set ${hex(OUR_MARKS.value)} accept`;
}

function laneMap(family: Family, { name, lane }: LaneMap): string {
  return `add map ${TABLE} ${name} { type inet_proto . inet_service . ipv${String(family)}_addr : mark; size ${String(laneSize(lane))}; flags timeout,dynamic; }`;
}

function laneRule(family: Family, { name, admission }: LaneMap): string {
  const key = `meta l4proto . th dport . ${ip(family)} saddr`;
  const consume = admission === 'once' ? ` delete @${name} { ${key} : ${unused(family)} }` : '';
  return `ct mark set ${key} map @${name}${consume} accept`;
}

/**
 * The data of a deletion from a map: the grammar wants some, the kernel ignores it. nft before 1.0.8 counts 16 bytes
 * for any key (netlink_linearize.c, netlink_gen_map_stmt) and would load the data over bytes 8 to 11 of an IPv6
 * address that ends the key, so these same bytes are the data. It also refuses the address anywhere but at the end.
 */
function unused(family: Family): string {
  return family === 4 ? 'ct mark' : '@nh,128,32';
}

function laneMaps(family: Family, lanes: LaneCount): readonly LaneMap[] {
  return kernelAdmissions.flatMap((admission) =>
    Array.from({ length: lanes(admission, family) }, (_, lane) => ({
      name: mapName(admission, family, lane),
      admission,
      lane,
    })),
  );
}

/** The chain that asks the lanes of a family. */
function lanesName(family: Family): string {
  return `lanes${String(family)}`;
}

function ip(family: Family): string {
  return family === 4 ? 'ip' : 'ip6';
}
