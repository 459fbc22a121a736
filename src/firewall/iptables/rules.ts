import { familyOf } from '../../bytes/address.ts';
import type { Endpoint, ServicePort } from '../../units/network.ts';
import type { Place } from '../nftables/grant-commands.ts';
import { type Family, families, hex, sourceAdmissions, MAX_LANES } from '../nftables/layout.ts';
import { OUR_MARKS } from '../nftables/marks.ts';

/** Before the filter table: what we let pass, the rules there still judge; what we drop, they never see. */
export const TABLE = 'mangle';

/** Reached from INPUT; the names of all our chains begin with it. */
export const CHAIN = 'HKNOCK';

const DOOR = `${CHAIN}-DOOR`;
const OLD = `${CHAIN}-OLD`;

/** As long as conntrack remembers an idle TCP connection: five days. */
const BEFORE_TIMEOUT_S = 432_000;

/** What ipset takes: `create` and `flush` for all our sets, whatever an earlier run left. */
export function renderSets(): readonly string[] {
  return families.flatMap((family) =>
    setNames(family).flatMap((name) => [
      `create ${name} hash:ip,port family inet${family === 6 ? '6' : ''} timeout 0 skbinfo maxelem 262144 -exist`,
      `flush ${name}`,
    ]),
  );
}

export function renderFlush(): readonly string[] {
  return families.flatMap((family) => setNames(family).map((name) => `flush ${name}`));
}

export function renderDestroy(): readonly string[] {
  return families.flatMap((family) => setNames(family).map((name) => `destroy ${name}`));
}

/** What iptables-restore --noflush takes: all our chains at once, in place of what they hold. */
export function renderChains(family: Family, ports: readonly ServicePort[]): readonly string[] {
  return [
    `*${TABLE}`,
    ...chains(family).map((name) => `:${name} - [0:0]`),
    `-A ${CHAIN} -i lo -j RETURN`,
    ...ports.map(
      ({ protocol, port }) =>
        `-A ${CHAIN} -p ${protocol} -m ${protocol} --dport ${String(port)} -g ${DOOR}`,
    ),
    ...doorRules(family).map((rule) => `-A ${DOOR} ${rule}`),
    `-A ${OLD} -j CONNMARK --set-mark ${hex(OUR_MARKS.value)}`,
    `-A ${OLD} -j RETURN`,
    ...lanes(family).flatMap(laneRules),
    'COMMIT',
  ];
}

/** Takes all our chains away; the jump from INPUT must have gone. */
export function renderRemoval(family: Family): readonly string[] {
  const names = chains(family);
  return [
    `*${TABLE}`,
    ...names.map((name) => `:${name} - [0:0]`),
    ...names.map((name) => `-X ${name}`),
    'COMMIT',
  ];
}

/** ipset counts whole seconds, so the kernel's end is up to one too late. */
export function renderOpen(place: Place, port: ServicePort, lifetimeMs: number): string {
  const timeout = Math.max(1, Math.ceil(lifetimeMs / 1000));
  return `add ${setOf(place)} ${keyOf(place, port)} timeout ${String(timeout)} skbmark ${hex(place.mark)}`;
}

/** Also for what the kernel has used up or timed out already. */
export function renderClose(place: Place, port: ServicePort): string {
  return `del ${setOf(place)} ${keyOf(place, port)} -exist`;
}

/** Lets a TCP connection go on that was there before its port was protected. */
export function renderKeep({ address, port }: Endpoint): string {
  const set = beforeName(familyOf(address));
  return `add ${set} ${address},tcp:${String(port)} timeout ${String(BEFORE_TIMEOUT_S)} -exist`;
}

/** Takes back what renderKeep did, if it did. */
export function renderForget({ address, port }: Endpoint): string {
  return `del ${beforeName(familyOf(address))} ${address},tcp:${String(port)} -exist`;
}

interface Lane {
  readonly set: string;
  readonly chain: string;
  readonly isConsumed: boolean;
}

function lanes(family: Family): readonly Lane[] {
  return sourceAdmissions.flatMap((admission) =>
    Array.from({ length: MAX_LANES[admission] }, (_, lane) => ({
      set: setName(admission, family, lane),
      chain: `${CHAIN}-${admission}-${String(lane)}`,
      isConsumed: admission === 'once',
    })),
  );
}

function doorRules(family: Family): readonly string[] {
  return [
    // for the direction, and why not `RELATED`: see the nftables backend
    '-m conntrack --ctstate ESTABLISHED --ctdir ORIGINAL -j RETURN',
    `-m connmark --mark ${hex(OUR_MARKS.value)}/${hex(OUR_MARKS.mask)} -j RETURN`,
    `-p tcp -m tcp ! --tcp-flags SYN SYN -m set --match-set ${beforeName(family)} src,src -g ${OLD}`,
    // a stray packet of some old connection from the same address must not use up a grant
    '-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j DROP',
    ...lanes(family).map(({ set, chain }) => `-m set --match-set ${set} src,dst -g ${chain}`),
    '-j DROP',
  ];
}

// the mark goes from the element to the packet, and from there to the connection
function laneRules({ set, chain, isConsumed }: Lane): readonly string[] {
  return [
    `-j SET --map-set ${set} src,dst --map-mark`,
    '-j CONNMARK --save-mark',
    '-j MARK --set-mark 0x0',
    ...(isConsumed ? [`-j SET --del-set ${set} src,dst`] : []),
    '-j RETURN',
  ].map((rule) => `-A ${chain} ${rule}`);
}

function chains(family: Family): readonly string[] {
  return [CHAIN, DOOR, OLD, ...lanes(family).map(({ chain }) => chain)];
}

function setNames(family: Family): readonly string[] {
  return [beforeName(family), ...lanes(family).map(({ set }) => set)];
}

function setOf({ admission, source, lane }: Place): string {
  return setName(admission, familyOf(source), lane);
}

function setName(admission: string, family: Family, lane: number): string {
  return `hknock_${admission}${String(family)}_${String(lane)}`;
}

function beforeName(family: Family): string {
  return `hknock_before${String(family)}`;
}

function keyOf({ source }: Place, { protocol, port }: ServicePort): string {
  return `${source},${protocol}:${String(port)}`;
}
