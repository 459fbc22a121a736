import { encodeEndpoint, ENDPOINT_LENGTH, familyOf } from '../../bytes/address.ts';
import { toHex } from '../../bytes/bytes.ts';
import type { Door } from '../../host/firewall.ts';
import type { Breadth } from '../../units/admission.ts';
import type { IpAddress, ServicePort } from '../../units/network.ts';
import type { Connection } from './connections.ts';
import {
  beforeName,
  guessesName,
  hex,
  type KernelAdmission,
  mapName,
  rowOf,
  TABLE,
  targetName,
} from './layout.ts';

/** Where a grant stands in the kernel. */
export interface Place {
  readonly admission: KernelAdmission;
  readonly source: IpAddress;
  readonly breadth?: Breadth;
  readonly door: Door;
  readonly lane: number;
  /** ct mark of the connections that come in by it. */
  readonly mark: number;
}

/** As long as conntrack remembers an idle TCP connection: five days. */
const BEFORE_TIMEOUT_S = 432_000;

/** Adds what is there already without an error, as long as the mark is the same: so it may be sent twice. */
export function renderOpen(
  place: Place,
  ports: readonly ServicePort[],
  lifetimeMs: number,
): readonly string[] {
  const timeout = `timeout ${String(Math.max(1, Math.ceil(lifetimeMs)))}ms`;
  return [
    ...ports.flatMap((port) => elements(place, port).map((each) => renderAdd(each, timeout))),
    ...ports.flatMap((port) => renderTargets(place, port, timeout)),
    ...renderGuesses(place, timeout),
  ];
}

/**
 * To delete what the kernel has consumed or timed out already is an error, and one error undoes a whole
 * transaction. So the element is added first; where it is still there that changes nothing.
 */
export function renderClose(place: Place, ports: readonly ServicePort[]): readonly string[] {
  return ports
    .flatMap((port) => elements(place, port))
    .flatMap((each) => [renderAdd(each, 'timeout 1000ms'), renderDelete(each)]);
}

/** Lets a connection go on that was there before its port was protected. */
export function renderKeep({ remote, localPort }: Connection): readonly string[] {
  const set = `${TABLE} ${beforeName(familyOf(remote.address))}`;
  const tuple = `${remote.address} . ${String(remote.port)} . ${String(localPort)}`;
  return [`add element ${set} { ${tuple} timeout ${String(BEFORE_TIMEOUT_S)}s }`];
}

/** Takes back what renderKeep did, if it did. */
export function renderForget({ remote, localPort }: Connection): readonly string[] {
  const set = `${TABLE} ${beforeName(familyOf(remote.address))}`;
  const tuple = `${remote.address} . ${String(remote.port)} . ${String(localPort)}`;
  return [...renderKeep({ remote, localPort }), `delete element ${set} { ${tuple} }`];
}

// anew: where the client chooses the port, that of an earlier grant may still stand, and end sooner
function renderTargets(place: Place, port: ServicePort, timeout: string): readonly string[] {
  const [, ...targets] = elements(place, port);
  return targets.flatMap((each) => [renderDelete(each), renderAdd(each, timeout)]);
}

interface Element {
  readonly map: string;
  readonly key: string;
  readonly data: string;
}

function renderAdd({ map, key, data }: Element, timeout: string): string {
  return `add element ${map} { ${key} ${timeout} : ${data} }`;
}

function renderDelete({ map, key }: Element): string {
  return `delete element ${map} { ${key} }`;
}

// the keys in the order in which the rules of the table put them together
function elements(place: Place, { protocol, port }: ServicePort): readonly Element[] {
  const { admission, source, door, lane, mark } = place;
  const family = familyOf(source);
  const map = `${TABLE} ${mapName(rowOf(place), family, lane)}`;
  const data = hex(mark);
  switch (admission) {
    case 'bound':
      return [{ map, key: `${String(port)} . ${String(door.initialSequence)} . ${source}`, data }];
    case 'port': {
      const key = `${protocol} . ${String(door.admissionPort)} . ${source}`;
      const target = { map: `${TABLE} ${targetName(family)}`, key, data: String(port) };
      return [{ map, key, data }, target];
    }
    default:
      return [{ map, key: `${protocol} . ${String(port)} . ${fromOf(place)}`, data }];
  }
}

/** How the element names the source: of a prefix the kernel compares the first bytes alone, as a number. */
function fromOf({ source, breadth }: Place): string {
  if (breadth === undefined) return source;
  const bytes = new Uint8Array(ENDPOINT_LENGTH);
  encodeEndpoint({ address: source, port: 0 }, bytes, 0);
  return `0x${toHex(familyOf(source) === 4 ? bytes.subarray(12, 15) : bytes.subarray(0, 8))}`;
}

// anew for each grant: whoever has spent his tries at one must not keep the next from its owner
function renderGuesses({ admission, source }: Place, timeout: string): readonly string[] {
  if (admission !== 'port' && admission !== 'bound') return [];
  const set = `${TABLE} ${guessesName(admission, familyOf(source))}`;
  const add = `add element ${set} { ${source} ${timeout} }`;
  return [add, `delete element ${set} { ${source} }`, add];
}
