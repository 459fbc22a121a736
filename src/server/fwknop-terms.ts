import type { ServerConfig } from '../config/server-config.ts';
import type { ServerFolder } from '../config/server-folder.ts';
import { serviceFinder } from '../config/service-ports.ts';
import { equalConstantTime } from '../crypto/mac.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { SpaPeer, SpaTerms } from '../fwknop/responder.ts';
import type { Firewall } from '../host/firewall.ts';
import { type Admission, goesBySource } from '../units/admission.ts';
import {
  type Endpoint,
  formatServicePort,
  type PortRange,
  type ServicePort,
} from '../units/network.ts';
import { isConfigured } from './doors.ts';

/** What there is to open with, as it was at the start. */
export interface Means {
  readonly firewall: Pick<Firewall, 'admissions'>;
  /** The ports that can lead to a service once. */
  readonly ports: PortRange;
  /** Whether commands can be run. */
  readonly runsCommands: boolean;
}

/**
 * What holds for fwknop's packets by a server's folder (fwknop.md, section 5).
 * @throws {HknockError} `config` when two peers have the same HMAC key
 */
export function spaTerms(
  { config, peers }: ServerFolder,
  { firewall, ports, runsCommands }: Means,
): SpaTerms {
  const leads = firewall.admissions.includes('port');
  const canHave = (admission: Admission): boolean =>
    goesBySource(admission) || (leads && admission === 'port');
  const admitted = peers.flatMap(({ name, fwknop, admission }): SpaPeer[] =>
    fwknop === undefined || (admission !== null && !canHave(admission))
      ? []
      : [{ name, keys: fwknop }],
  );
  refuseSharedKeys(admitted);
  const services = [...config.services.values()].filter(({ admission }) =>
    canHave(admission ?? config.policy.admission),
  );
  return {
    peers: admitted,
    serviceOf: serviceFinder(services),
    canLead: (port) =>
      leads && port >= ports.first && port <= ports.last && !isConfigured(config, port),
    upstreamOf: upstreamFinder(config),
    mayRun: (peer, command) =>
      runsCommands &&
      config.fwknop.commands.has(command) &&
      peers.some(
        ({ name, fwknopCommands = [] }) => name === peer && fwknopCommands.includes(command),
      ),
    maxAgeMs: config.fwknop.maxAgeMs,
    acceptsAnySource: config.fwknop.acceptAnySource,
  };
}

/** Finds where the forwarder takes a port's connections: of the backends only `userspace` has one. */
function upstreamFinder({
  firewall,
  services,
}: ServerConfig): (port: ServicePort) => Endpoint | null {
  const upstreams = new Map<string, Endpoint>();
  for (const { ports, upstream } of firewall.backend === 'userspace' ? services.values() : []) {
    upstream?.forEach((each, at) => {
      const port = ports[at];
      if (port !== undefined) upstreams.set(formatServicePort(port), each);
    });
  }
  return (port) => upstreams.get(formatServicePort(port)) ?? null;
}

/**
 * Whoever shares a key would knock as the first who has it.
 * @throws {HknockError} `config`
 */
export function refuseSharedKeys(peers: readonly SpaPeer[]): void {
  for (const [at, { name, keys }] of peers.entries()) {
    const twin = peers
      .slice(0, at)
      .find((other) => equalConstantTime(other.keys.hmacKey, keys.hmacKey));
    if (twin === undefined) continue;
    throw new HknockError('config', `'${twin.name}' and '${name}' have the same fwknop_hmac_key`, {
      hint: 'give one of them another',
    });
  }
}
