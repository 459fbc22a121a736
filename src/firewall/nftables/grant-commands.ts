import { familyOf } from '../../bytes/address.ts';
import type { IpAddress, ServicePort } from '../../units/network.ts';
import type { Connection } from './connections.ts';
import { beforeName, hex, type KernelAdmission, mapName, TABLE } from './layout.ts';

/** Where a grant stands in the kernel. */
export interface Place {
  readonly admission: KernelAdmission;
  readonly source: IpAddress;
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
  return ports.map((port) => {
    const timeout = `timeout ${String(Math.max(1, Math.ceil(lifetimeMs)))}ms`;
    return `add element ${map(place)} { ${key(place, port)} ${timeout} : ${hex(place.mark)} }`;
  });
}

/**
 * To delete what the kernel has consumed or timed out already is an error, and one error undoes a whole
 * transaction. So the element is added first; where it is still there that changes nothing.
 */
export function renderClose(place: Place, ports: readonly ServicePort[]): readonly string[] {
  return ports.flatMap((port) => [
    ...renderOpen(place, [port], 1000),
    `delete element ${map(place)} { ${key(place, port)} }`,
  ]);
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

function map({ admission, source, lane }: Place): string {
  return `${TABLE} ${mapName(admission, familyOf(source), lane)}`;
}

// the order in which the rules of the table put it together
function key({ source }: Place, { protocol, port }: ServicePort): string {
  return `${protocol} . ${String(port)} . ${source}`;
}
