import type { ServerConfig, ServiceConfig } from '../config/server-config.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Firewall, ProtectedPort } from '../host/firewall.ts';
import type { PeerPolicy, Policy, ServicePolicy } from '../policy/policy.ts';
import type { PeerRecord } from '../store/peer-file.ts';
import { type Admission, fitsPorts, isAtLeastAsNarrow } from '../units/admission.ts';
import type { PeerName, ServiceName } from '../units/names.ts';

/** The policy that configuration and peers' files make together. */
export function policyOf(
  { services, policy }: Pick<ServerConfig, 'services' | 'policy'>,
  peers: ReadonlyMap<PeerName, PeerRecord>,
): Policy {
  const servicePolicy = ({ name, ports, ...own }: ServiceConfig): ServicePolicy => ({
    name,
    ports,
    admission: own.admission ?? policy.admission,
    lifetimeMs: own.ttlMs ?? policy.ttlMs,
    flowKeepMs: own.flowKeepMs ?? policy.flowKeepMs,
    ...(own.prefix && { prefix: own.prefix }),
  });
  const peerPolicy = ({ name, services: allowed, ...own }: PeerRecord): PeerPolicy => ({
    name,
    services: allowed,
    admission: own.admission,
    lifetimeMs: own.ttlMs,
    ...(own.prefix && { prefix: own.prefix }),
  });
  return {
    services: new Map([...services].map(([name, each]) => [name, servicePolicy(each)])),
    peers: new Map([...peers].map(([name, each]) => [name, peerPolicy(each)])),
  };
}

/**
 * Refuses a policy by which nobody could ever be let in.
 * @param firewall what is to keep to it
 * @throws {HknockError} `config`
 */
export function requireEnforceable(
  { services }: Policy,
  { admissions: enforceable, prefixes = false }: Pick<Firewall, 'admissions' | 'prefixes'>,
): void {
  for (const { name, admission, ports, prefix } of services.values()) {
    if (prefix && !prefixes) throw noPrefixes(name);
    const narrow = enforceable.filter((each) => isAtLeastAsNarrow(each, admission));
    if (narrow.some((each) => fitsPorts(each, ports))) continue;
    if (narrow.length > 0) throw unfit(name, narrow);
    throw new HknockError('config', `service '${name}' wants admission '${admission}' at least`, {
      hint: `this firewall can enforce ${enforceable.join(', ')}: set 'admission' to one of these, or choose another backend`,
    });
  }
}

function noPrefixes(service: ServiceName): HknockError {
  return new HknockError('config', `service '${service}' allows grants for a prefix`, {
    hint: "only the backend 'nftables' can admit one: set 'prefix' to false, or choose that backend",
  });
}

function unfit(service: ServiceName, admissions: readonly Admission[]): HknockError {
  const wanted = admissions.map((each) => `'${each}'`).join(' or ');
  return new HknockError('config', `service '${service}' cannot have admission ${wanted}`, {
    hint: "'port' is for services of one port, and 'bound' for those of one TCP port: make a service of each port",
  });
}

/** The ports that the firewall is to shut. */
export function protectedPorts({ services }: Pick<ServerConfig, 'services'>): ProtectedPort[] {
  return [...services.values()].flatMap(({ name, ports, upstream, proxyProtocol }) =>
    ports.map((port, at) => ({
      service: name,
      port,
      upstream: upstream?.[at] ?? null,
      ...(proxyProtocol && { proxyProtocol }),
    })),
  );
}
