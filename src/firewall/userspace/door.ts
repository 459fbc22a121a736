import { familyOf } from '../../bytes/address.ts';
import { isAt } from '../../bytes/prefix.ts';
import { HknockError } from '../../errors/hknock-error.ts';
import type { Clock } from '../../host/clock.ts';
import type { Cut } from '../../host/firewall.ts';
import type { PeerName } from '../../units/names.ts';
import {
  type Endpoint,
  formatEndpoint,
  formatServicePort,
  type IpAddress,
  type ServicePort,
} from '../../units/network.ts';

/** One protected port and what has come in by it. */
export interface Door {
  /**
   * Takes the port, so that those with a grant get in. Resolves when all addresses listen.
   * @throws {HknockError} `bind`
   */
  open(): Promise<void>;
  /** Gives the port back to the kernel, which answers as for any closed port. Connections live on. */
  shut(): void;
  /** Where connections that come in from now on are led. */
  leadTo(upstream: Endpoint): void;
  cut(cut: Cut): void;
  /** Ends everything. */
  end(): void;
}

export interface DoorOptions {
  readonly port: ServicePort;
  readonly listen: readonly IpAddress[];
  readonly upstream: Endpoint;
  /** Asked once per new connection: the peer by whose grant it comes in, or null. */
  readonly admit: (source: IpAddress) => PeerName | null;
  readonly clock: Clock;
}

/** Somebody who came in. */
export interface Visitor {
  readonly peer: PeerName;
  readonly source: IpAddress;
}

/** Connections or flows through one door at a time; who comes when there are so many is not let in. */
export const MAX_VISITORS = 4096;

/** Whether a cut means a visitor. */
export function isMeant({ peer, source }: Cut, visitor: Visitor): boolean {
  return visitor.peer === peer && (source === null || isAt(visitor.source, source));
}

/**
 * Binds a port on every address, all or none. Leaves out IPv6 addresses where the system has no IPv6.
 * @param bind binds one address, rejects with the system's error
 * @throws {HknockError} `bind`
 */
export async function bindAll<S extends { close(): unknown }>(
  { listen, port }: DoorOptions,
  bind: (address: IpAddress) => Promise<S>,
): Promise<readonly S[]> {
  const results = await Promise.allSettled(listen.map(bind));
  const bound = results.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  results.forEach((result, at) => {
    const address = listen[at];
    if (result.status === 'fulfilled' || address === undefined) return;
    if (familyOf(address) === 6 && codeOf(result.reason) === 'EAFNOSUPPORT') return;
    for (const each of bound) each.close();
    throw bindError(address, port, result.reason);
  });
  return bound;
}

function bindError(address: IpAddress, port: ServicePort, cause: unknown): HknockError {
  const place = `${formatServicePort(port)} on ${formatEndpoint({ address, port: 0 }).slice(0, -2)}`;
  const hints: Readonly<Record<string, string>> = {
    EADDRINUSE:
      'if it is the service itself, have that listen on another port and name this as its upstream',
    EACCES: 'ports below 1024 need CAP_NET_BIND_SERVICE',
    EADDRNOTAVAIL: 'it is not an address of this machine',
  };
  const hint = hints[codeOf(cause)];
  return new HknockError('bind', `cannot serve ${place}: ${codeOf(cause)}`, {
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
}
