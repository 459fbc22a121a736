import type { networkInterfaces } from 'node:os';
import { familyOf, parseAddress } from '../bytes/address.ts';
import { type Endpoint, type IpAddress, formatEndpoint } from '../units/network.ts';

/** Where one socket is to be bound. */
export interface Place {
  readonly endpoint: Endpoint;
  /** The zone of an IPv6 link-local address, such as `%eth0`; otherwise empty. */
  readonly zone: string;
  /** The same as a number; otherwise 0. */
  readonly scope: number;
  /** Found on an interface because a wildcard was asked for. */
  readonly fromWildcard: boolean;
}

export type Interfaces = ReturnType<typeof networkInterfaces>;

/** Whether an address stands for all of its family. */
export function isWildcard(address: IpAddress): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** Every place that `asked` means on a machine with these interfaces, by a key that tells them apart. */
export function placesOf(
  asked: readonly Endpoint[],
  interfaces: Interfaces,
): ReadonlyMap<string, Place> {
  const present = addressesOf(interfaces);
  const places = asked.flatMap((endpoint) => expand(endpoint, present));
  return new Map(places.map((place) => [formatEndpoint(place.endpoint) + place.zone, place]));
}

const noZone = { zone: '', scope: 0 };

type Present = Pick<Place, 'zone' | 'scope'> & { readonly address: IpAddress };

function expand(endpoint: Endpoint, present: readonly Present[]): Place[] {
  const { address, port } = endpoint;
  if (!isWildcard(address)) {
    const { zone, scope } = present.find((each) => each.address === address) ?? noZone;
    return [{ endpoint, zone, scope, fromWildcard: false }];
  }
  return present
    .filter((each) => familyOf(each.address) === familyOf(address))
    .map((each) => ({
      endpoint: { address: each.address, port },
      zone: each.zone,
      scope: each.scope,
      fromWildcard: true,
    }));
}

function addressesOf(interfaces: Interfaces): Present[] {
  return Object.entries(interfaces).flatMap(([name, infos = []]) =>
    infos.flatMap((info) => {
      const address = parseAddress(info.address);
      const scope = info.family === 'IPv6' ? info.scopeid : 0;
      return address === null ? [] : [{ address, zone: scope === 0 ? '' : `%${name}`, scope }];
    }),
  );
}
