import {
  type Admission,
  admissions,
  type Breadth,
  fitsPorts,
  goesBySource,
  isAtLeastAsNarrow,
  isRenewable,
} from '../units/admission.ts';
import { type Knock, refuse, type Refused } from '../units/knock.ts';
import type { PeerName, ServiceName } from '../units/names.ts';
import { includesPort, type IpAddress, type ServicePort } from '../units/network.ts';
import type { DurationMs } from '../units/time.ts';

/** A named set of ports that may be opened. */
export interface ServicePolicy {
  readonly name: ServiceName;
  readonly ports: readonly ServicePort[];
  /** The widest admission that is accepted. */
  readonly admission: Admission;
  readonly lifetimeMs: DurationMs;
  /** How long a grant for the address is kept in force by a UDP flow that lives, since its client asked for it last. */
  readonly flowKeepMs: DurationMs;
  /** Whether peers that may have it can have a grant for the prefix of their address. */
  readonly prefix?: true;
}

/** What one peer may have opened. */
export interface PeerPolicy {
  readonly name: PeerName;
  readonly services: readonly ServiceName[];
  /** Narrows what the service accepts; null leaves it. */
  readonly admission: Admission | null;
  /** In place of the service's; null leaves it. */
  readonly lifetimeMs: DurationMs | null;
  /** Whether it may have grants for the prefix of its address, where the service allows it. */
  readonly prefix?: true;
}

/** Who may open what, how narrowly and for how long. */
export interface Policy {
  readonly services: ReadonlyMap<ServiceName, ServicePolicy>;
  readonly peers: ReadonlyMap<PeerName, PeerPolicy>;
}

/** A grant that policy allows, before it has a name and before the firewall has been asked. */
export interface Plan {
  readonly peer: PeerName;
  readonly service: ServiceName;
  readonly source: IpAddress;
  readonly ports: readonly ServicePort[];
  readonly admission: Admission;
  readonly lifetimeMs: DurationMs;
  /** As the service says, where flows can keep the grant. */
  readonly flowKeepMs?: DurationMs;
  /** For the prefix of the source; for the source alone if not said. */
  readonly breadth?: Breadth;
  /** As in the knock: what a later look at the policy needs to come to the same plan. */
  readonly authorised?: readonly ServicePort[];
  readonly port?: ServicePort;
}

/** What of a knock policy looks at. */
export type Wish = Pick<
  Knock,
  | 'peer'
  | 'service'
  | 'admission'
  | 'breadth'
  | 'observed'
  | 'isUntold'
  | 'entrance'
  | 'authorised'
  | 'port'
  | 'lifetimeMs'
>;

/**
 * Step 12 of wire.md, section 5.1: what a verified knock gets.
 * @param enforceable the admissions that the firewall can keep to
 */
export function decide(
  policy: Policy,
  wish: Wish,
  enforceable: readonly Admission[],
): Plan | Refused {
  const terms = termsFor(policy, wish);
  if (terms === null) return refuse('service-refused');
  const { service, ports, peer: own } = terms;
  const { breadth } = wish;
  if (breadth !== undefined && !mayBeBroad(terms)) return refuse('prefix-refused');
  const acceptable = acceptableBy(terms, breadth).filter(
    (each) => enforceable.includes(each) && (wish.isUntold !== true || isUsableUntold(each, wish)),
  );
  const admission = wish.admission ?? acceptable[0];
  if (admission === undefined || !acceptable.includes(admission)) {
    return refuse('admission-refused', acceptable);
  }
  const { peer, authorised, port } = wish;
  return {
    peer,
    service: service.name,
    source: wish.observed.address,
    ports,
    admission,
    lifetimeMs: shorter(own?.lifetimeMs ?? service.lifetimeMs, wish.lifetimeMs),
    ...flowKeep(service, { admission, ports }, wish),
    ...(breadth && { breadth }),
    ...(authorised && { authorised }),
    ...(port && { port }),
  };
}

/** Whether a client can make the connection without having been told anything. */
function isUsableUntold(admission: Admission, { entrance }: Wish): boolean {
  return goesBySource(admission) || (admission === 'port' && entrance !== undefined);
}

interface Terms {
  readonly service: ServicePolicy;
  readonly ports: readonly ServicePort[];
  /** Null when the credential brings its own authorisation. */
  readonly peer: PeerPolicy | null;
}

/** Both the service and the peer must allow it; a credential that brings its own authorisation cannot. */
function mayBeBroad({ service, peer }: Terms): boolean {
  return service.prefix === true && peer?.prefix === true;
}

function acceptableBy(
  { service, ports, peer }: Terms,
  breadth: Breadth | undefined,
): readonly Admission[] {
  const least = narrower(service.admission, peer?.admission ?? service.admission);
  return admissions.filter(
    (each) =>
      isAtLeastAsNarrow(each, least) &&
      fitsPorts(each, ports) &&
      (breadth === undefined || goesBySource(each)),
  );
}

/** What would be opened, and whose word narrows it; null when nobody allows it. */
function termsFor({ services, peers }: Policy, wish: Wish): Terms | null {
  const service = services.get(wish.service);
  const ports = service === undefined ? null : wantedPorts(service, wish);
  if (service === undefined || ports === null) return null;
  const { authorised } = wish;
  if (authorised !== undefined) {
    // a certificate's name may be that of a peer by chance, or by the will of its issuer: it gets nothing by it
    const isAllowed = ports.every((port) => includesPort(authorised, port));
    return isAllowed ? { service, ports, peer: null } : null;
  }
  const peer = peers.get(wish.peer);
  return peer?.services.includes(wish.service) ? { service, ports, peer } : null;
}

/** Null when the one port that is wanted is not the service's. */
function wantedPorts(
  { ports }: ServicePolicy,
  { port: wanted }: Wish,
): readonly ServicePort[] | null {
  if (wanted === undefined) return ports;
  return includesPort(ports, wanted) ? [wanted] : null;
}

/**
 * Only what can be renewed can be kept, and only UDP needs it. Nothing is kept for longer than was asked for; and a certificate
 * may be out of date by then.
 */
function flowKeep(
  { flowKeepMs }: ServicePolicy,
  { admission, ports }: Pick<Plan, 'admission' | 'ports'>,
  { lifetimeMs, authorised }: Wish,
): Pick<Plan, 'flowKeepMs'> {
  const hasUdp = ports.some(({ protocol }) => protocol === 'udp');
  const mayLast = lifetimeMs === undefined && authorised === undefined;
  return isRenewable(admission) && hasUdp && mayLast ? { flowKeepMs } : {};
}

function shorter(allowed: DurationMs, wanted: DurationMs = allowed): DurationMs {
  return wanted < allowed ? wanted : allowed;
}

function narrower(a: Admission, b: Admission): Admission {
  return isAtLeastAsNarrow(a, b) ? a : b;
}
