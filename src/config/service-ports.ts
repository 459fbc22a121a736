import { HknockError } from '../errors/hknock-error.ts';
import type { ServiceName } from '../units/names.ts';
import { formatServicePort, type ServicePort } from '../units/network.ts';
import { loadServerConfig } from './load.ts';
import type { ServiceConfig } from './server-config.ts';

/**
 * The ports that services and ports name together, each once. The configuration is read only when a service is named.
 * @throws {HknockError} `usage` when there is no such service; as {@link loadServerConfig}
 */
export async function portsOf(
  directory: string,
  wanted: readonly (ServiceName | ServicePort)[],
): Promise<readonly ServicePort[]> {
  const isNamed = wanted.some((each) => typeof each === 'string');
  const services = isNamed ? (await loadServerConfig(directory)).services : null;
  const ports = wanted.flatMap((each) => {
    if (typeof each !== 'string') return [each];
    const service = services?.get(each);
    if (service !== undefined) return service.ports;
    throw new HknockError('usage', `there is no service '${each}'`, {
      hint: `there are: ${[...(services?.keys() ?? [])].join(', ') || 'none; write ports, such as tcp/22'}`,
    });
  });
  return [...new Map(ports.map((port) => [formatServicePort(port), port])).values()];
}

/** Finds the one of some services that has a port; no two have the same. */
export function serviceFinder(
  services: Iterable<Pick<ServiceConfig, 'name' | 'ports'>>,
): (port: ServicePort) => ServiceName | null {
  const holders = new Map(
    [...services].flatMap(({ name, ports }) =>
      ports.map((port) => [formatServicePort(port), name] as const),
    ),
  );
  return (port) => holders.get(formatServicePort(port)) ?? null;
}
