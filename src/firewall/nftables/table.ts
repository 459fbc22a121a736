import type { ServicePort } from '../../units/network.ts';
import type { Family, LaneCount, Row, TableOptions } from './layout.ts';
import {
  beforeName,
  families,
  FIRST_LANES,
  guessesName,
  hex,
  laneSize,
  mapName,
  TABLE,
} from './layout.ts';
import { OUR_MARKS } from './marks.ts';
import { keysOf, renderPortDoor, renderSequenceGuesses } from './port-door.ts';

interface LaneMap {
  readonly name: string;
  readonly row: Row;
  readonly lane: number;
}

interface Layout extends TableOptions {
  readonly lanes: LaneCount;
  /**
   * Whose established connections live on: those of all, or of those alone that we let in. When somebody has flushed
   * our table, strangers have come in since.
   */
  readonly established: 'all' | 'ours';
}

/** The table as it is at first. */
export function firstLayout(options: TableOptions): Layout {
  return { ...options, lanes: (admission) => FIRST_LANES[admission], established: 'all' };
}

/**
 * The commands that make the whole table, in place of whatever an earlier run of ours left. In one
 * transaction of the kernel the ports are shut at every instant.
 */
export function renderInstall(ports: readonly ServicePort[], layout: Layout): readonly string[] {
  return [
    ...renderRemoval(),
    `add table ${TABLE}`,
    ...sets(),
    ...chains(),
    ...doorRules(layout.established),
    ...families.flatMap((family) => renderLanes(family, layout)),
    ...addPorts(ports),
  ];
}

/** Makes the lanes of a family as many as these; may be sent twice. */
export function renderLanes(
  family: Family,
  { lanes, ...options }: Pick<Layout, 'lanes' | keyof TableOptions>,
): readonly string[] {
  const maps = laneMaps(family, lanes);
  const chain = `${TABLE} ${lanesName(family)}`;
  const inDoor = maps.filter(({ row }) => row !== 'port');
  const rules = [...inDoor.map((map) => laneRule(family, map)), 'drop'];
  return [
    ...maps.map((map) => laneMap(family, map)),
    ...(lanes('port', family) > 0 ? renderPortDoor(family, options) : []),
    ...(lanes('bound', family) > 0 ? [renderSequenceGuesses(family)] : []),
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
  const tuple = `${keysOf(family).saddr} . tcp sport . tcp dport`;
  return `tcp flags & syn == 0 ${tuple} @${beforeName(family)} ct mark set ${hex(OUR_MARKS.value)} accept`;
}

function laneMap(family: Family, { name, row, lane }: LaneMap): string {
  const { sequence, prefix } = keysOf(family);
  const isForPrefixes = row === 'prefix_address' || row === 'prefix_once';
  const special = isForPrefixes ? prefix : row === 'bound' ? sequence : null;
  const types =
    special === null
      ? `type inet_proto . inet_service . ipv${String(family)}_addr : mark`
      : `typeof ${special} : ct mark`;
  // few will ever have one: the room of a further lane will do
  const size = String(laneSize(isForPrefixes ? 1 : lane));
  return `add map ${TABLE} ${name} { ${types}; size ${size}; flags timeout,dynamic; }`;
}

function laneRule(family: Family, { name, row }: LaneMap): string {
  const keys = keysOf(family);
  const mayTry = row === 'bound' ? `${keys.saddr} @${guessesName('bound', family)} ` : '';
  const admit = (key: string, consume: string): string =>
    `${mayTry}ct mark set ${key} map @${name}${consume} accept`;
  switch (row) {
    case 'address':
      return admit(keys.port, '');
    case 'prefix_address':
      return admit(keys.prefix, '');
    case 'prefix_once':
      return admit(keys.prefix, ` delete @${name} { ${keys.prefix} : ct mark }`);
    case 'bound':
      return admit(keys.sequence, ` delete @${name} { ${keys.sequence} : ${keys.unused} }`);
    default:
      return admit(keys.port, ` delete @${name} { ${keys.port} : ${keys.unused} }`);
  }
}

/**
 * The order in which they are asked: what only one connection can use comes before what any other could, and what is for one address
 * before what is for many.
 */
const asked: readonly Row[] = ['port', 'bound', 'address', 'once', 'prefix_address', 'prefix_once'];

function laneMaps(family: Family, lanes: LaneCount): readonly LaneMap[] {
  return asked.flatMap((row) =>
    Array.from({ length: lanes(row, family) }, (_, lane) => ({
      name: mapName(row, family, lane),
      row,
      lane,
    })),
  );
}

/** The chain that asks the lanes of a family. */
function lanesName(family: Family): string {
  return `lanes${String(family)}`;
}
