import type { ServerConfig, ServiceConfig } from '../../config/server-config.ts';
import { type Finding, ok, warn } from '../../units/finding.ts';
import { type Endpoint, type Protocol } from '../../units/network.ts';
import { listeners } from './listeners.ts';

/** What should be served on this machine. */
interface Wanted {
  readonly protocol: Protocol;
  readonly port: number;
  /** Whether clients come to it from other machines, and not the forwarder from this one. */
  readonly fromOutside: boolean;
}

/** Whether somebody serves what a grant lets a connection through to. */
export async function examineServices(config: ServerConfig): Promise<readonly Finding[]> {
  const forwards = config.firewall.backend === 'userspace';
  const looks = [...config.services.values()].flatMap((service) =>
    wantedOf(service, forwards).map((wanted) => examineOne(service.name, wanted)),
  );
  return (await Promise.all(looks)).flat();
}

function wantedOf({ ports, upstream }: ServiceConfig, forwards: boolean): readonly Wanted[] {
  if (!forwards) return ports.map((each) => ({ ...each, fromOutside: true }));
  return ports.flatMap(({ protocol }, at) => {
    const behind = upstream?.[at];
    // what another machine serves cannot be seen from here
    if (behind === undefined || !isLoopback(behind)) return [];
    return [{ protocol, port: behind.port, fromOutside: false }];
  });
}

async function examineOne(
  service: string,
  { protocol, port, fromOutside }: Wanted,
): Promise<readonly Finding[]> {
  const all = await listeners(protocol);
  if (all === null) return [];
  const found = all.filter((each) => each.port === port);
  const where = `${protocol}/${String(port)} (service '${service}')`;
  if (found.length === 0) return [warn(`nobody listens on ${where}`, 'start what is to serve it')];
  if (fromOutside && found.every(isLoopback)) {
    return [
      warn(
        `${where} is served to this machine only`,
        'let it listen on 0.0.0.0 or [::]: its port is shut to all who have no grant',
      ),
    ];
  }
  return [ok(`somebody listens on ${where}`)];
}

function isLoopback({ address }: Endpoint): boolean {
  return address === '::1' || address.startsWith('127.');
}
