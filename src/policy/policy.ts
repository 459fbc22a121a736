import { type Admission, admissions, isAtLeastAsNarrow } from '../units/admission.ts';
import { type Knock, refuse, type Refused } from '../units/knock.ts';
import type { PeerName, ServiceName } from '../units/names.ts';
import type { IpAddress, ServicePort } from '../units/network.ts';
import type { DurationMs } from '../units/time.ts';

/** A named set of ports that may be opened. */
export interface ServicePolicy {
  readonly name: ServiceName;
  readonly ports: readonly ServicePort[];
  /** The widest admission that is accepted. */
  readonly admission: Admission;
  readonly lifetimeMs: DurationMs;
}

/** What one peer may have opened. */
export interface PeerPolicy {
  readonly name: PeerName;
  readonly services: readonly ServiceName[];
  /** Narrows what the service accepts; null leaves it. */
  readonly admission: Admission | null;
  /** In place of the service's; null leaves it. */
  readonly lifetimeMs: DurationMs | null;
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
}

/** What of a knock policy looks at. */
export type Wish = Pick<Knock, 'peer' | 'service' | 'admission' | 'observed'>;

/**
 * Step 12 of wire.md, section 5.1: what a verified knock gets.
 * @param enforceable the admissions that the firewall can keep to
 */
export function decide(
  policy: Policy,
  { peer: peerName, service: serviceName, admission: asked, observed }: Wish,
  enforceable: readonly Admission[],
): Plan | Refused {
  const peer = policy.peers.get(peerName);
  const service = policy.services.get(serviceName);
  if (peer === undefined || service === undefined || !peer.services.includes(serviceName)) {
    return refuse('service-refused');
  }
  const least = narrower(service.admission, peer.admission ?? service.admission);
  const acceptable = admissions.filter(
    (each) => enforceable.includes(each) && isAtLeastAsNarrow(each, least),
  );
  const admission = asked ?? acceptable[0];
  if (admission === undefined || !acceptable.includes(admission)) {
    return refuse('admission-refused', acceptable);
  }
  const lifetimeMs = peer.lifetimeMs ?? service.lifetimeMs;
  const { ports } = service;
  return {
    peer: peerName,
    service: serviceName,
    source: observed.address,
    ports,
    admission,
    lifetimeMs,
  };
}

function narrower(a: Admission, b: Admission): Admission {
  return isAtLeastAsNarrow(a, b) ? a : b;
}
