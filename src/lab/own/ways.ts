import { decide, type Plan, type Policy, type Wish } from '../../policy/policy.ts';
import { policyOf } from '../../server/policy.ts';
import type { PeerRecord } from '../../store/peer-file.ts';
import { type Admission, admissions } from '../../units/admission.ts';
import { certificatePeerName, type PeerName, type ServiceName } from '../../units/names.ts';
import type { IpAddress, ServicePort } from '../../units/network.ts';
import type { DurationMs } from '../../units/time.ts';
import type { OwnConfig } from './own-folder.ts';
import { textAt } from './settings.ts';

/** How clients knock. */
export type Mode = 'handshake' | 'certificate' | 'sknock' | 'fwknop' | 'silent' | 'totp' | 'scheme';

/** That somebody may come to a service by a mode. */
export interface Way {
  readonly mode: Mode;
  /** The file, where the mode is a scheme's; null otherwise. */
  readonly scheme: string | null;
  /** Of the scheme; null where there is none. */
  readonly kind: string | null;
  /** Of the grant. Silent mode is as narrow as `bound` unless it leads through the gate. */
  readonly admission: Admission;
  readonly service: ServiceName;
  /** The service's first for TCP. */
  readonly port: ServicePort;
  /** Null for whoever has a certificate. */
  readonly peer: PeerRecord | null;
  readonly lifetimeMs: DurationMs;
}

/** Ways that differ in nothing that matters to an attacker; at least one. */
export interface WayGroup {
  /** Names it among the others. */
  readonly name: string;
  readonly ways: readonly Way[];
  /** The one that is attacked for all: its grants wait longest. */
  readonly attacked: Way;
}

/** Nobody knows where a client will come from, and what the policy says does not depend on it. */
const anywhere = { address: '::' as IpAddress, port: 0 };

/** Any serial number. */
const holder = certificatePeerName('00');

type Ask = (wish: Partial<Wish>) => Plan | null;

/** All ways that a configuration leaves open to a service that has a TCP port. */
export function waysIn(own: OwnConfig, enforceable: readonly Admission[]): readonly Way[] {
  const { config, peers } = own;
  const policy = policyOf(config, new Map(peers.map((peer) => [peer.name, peer])));
  return [...config.services.values()].flatMap(({ name: service, ports }) => {
    const port = ports.find(({ protocol }) => protocol === 'tcp');
    if (port === undefined) return [];
    const askFor = (peer: PeerName): Ask => asking(policy, { peer, service }, enforceable);
    const known = peers
      .filter((peer) => peer.services.includes(service))
      .flatMap((peer) => {
        const offers = offersTo(own, { peer, service, port }, askFor(peer.name));
        return offers.map((offer) => ({ ...offer, service, port, peer }));
      });
    const certified = offersToHolders(own, { ports, port }, askFor(holder));
    return [...known, ...certified.map((offer) => ({ ...offer, service, port, peer: null }))];
  });
}

type Offer = Pick<Way, 'mode' | 'scheme' | 'kind' | 'admission' | 'lifetimeMs'>;

interface Wanted {
  readonly peer: PeerRecord;
  readonly service: ServiceName;
  readonly port: ServicePort;
}

function offersTo(own: OwnConfig, { peer, service, port }: Wanted, ask: Ask): readonly Offer[] {
  const { fwknop, silent, sequence } = own.config;
  const untold = ask({ isUntold: true, port });
  const schemes = [...own.schemes].filter(
    ([, file]) => file['peer'] === peer.name && (file['service'] ?? service) === service,
  );
  return [
    ...eachAdmission(ask).map((plan) => offerOf('handshake', plan)),
    ...(fwknop.enabled && peer.fwknop !== undefined ? offers('fwknop', untold) : []),
    ...(silent.enabled
      ? offers('silent', ask({ admission: 'bound', port }) ?? ask({ admission: 'gate' }))
      : []),
    ...(sequence.hasTotp && peer.totp !== null ? offers('totp', ask({ isUntold: true })) : []),
    ...schemes.flatMap(([scheme, file]) =>
      offers('scheme', untold).map((offer) => ({ ...offer, scheme, kind: textAt(file, 'kind') })),
    ),
  ];
}

function offersToHolders(
  { config: { certificates, sknock } }: OwnConfig,
  { ports, port }: { readonly ports: readonly ServicePort[]; readonly port: ServicePort },
  ask: Ask,
): readonly Offer[] {
  if (certificates === null) return [];
  const plans = eachAdmission((wish) => ask({ ...wish, authorised: ports }));
  return [
    ...plans.map((plan) => offerOf('certificate', plan)),
    ...(sknock === null ? [] : offers('sknock', ask({ isUntold: true, port, authorised: [port] }))),
  ];
}

function asking(
  policy: Policy,
  who: Pick<Wish, 'peer' | 'service'>,
  enforceable: readonly Admission[],
): Ask {
  return (wish) => {
    const plan = decide(
      policy,
      { admission: null, observed: anywhere, ...wish, ...who },
      enforceable,
    );
    return 'kind' in plan ? null : plan;
  };
}

function eachAdmission(ask: Ask): readonly Plan[] {
  return admissions.flatMap((admission) => ask({ admission }) ?? []);
}

function offers(mode: Mode, plan: Plan | null): readonly Offer[] {
  return plan === null ? [] : [offerOf(mode, plan)];
}

function offerOf(mode: Mode, { admission, lifetimeMs }: Plan): Offer {
  return { mode, scheme: null, kind: null, admission, lifetimeMs };
}

/** Ways that are the same in what matters, put together. */
export function groupWays(ways: readonly Way[]): readonly WayGroup[] {
  const names = [...new Set(ways.map(nameOf))];
  return names.map((name) => ({ name, ...groupOf(ways.filter((way) => nameOf(way) === name)) }));
}

/** A group's services with one port, and those with more, which cannot have all admissions. */
export function partsOf(group: WayGroup, { services }: OwnConfig['config']): readonly WayGroup[] {
  const isSimple = ({ service }: Way): boolean => services.get(service)?.ports.length === 1;
  const parts = [group.ways.filter(isSimple), group.ways.filter((way) => !isSimple(way))];
  return parts.flatMap((ways) => (ways.length === 0 ? [] : [{ ...group, ...groupOf(ways) }]));
}

function groupOf(ways: readonly Way[]): Pick<WayGroup, 'ways' | 'attacked'> {
  const longest = (a: Way, b: Way): Way => (b.lifetimeMs > a.lifetimeMs ? b : a);
  return { ways, attacked: ways.reduce(longest) };
}

function nameOf({ mode, scheme, admission }: Way): string {
  return scheme === null ? `${mode}-${admission}` : `${mode}-${scheme}-${admission}`;
}
