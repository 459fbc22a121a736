import { ascii, toHex } from '../../bytes/bytes.ts';
import type { ServerFolder } from '../../config/server-folder.ts';
import type { Mac } from '../../crypto/mac.ts';
import type { Way } from '../../firewall/nftables/silent-table.ts';
import type { Firewall } from '../../host/firewall.ts';
import { decide, type Policy } from '../../policy/policy.ts';
import { silentKey, type Target } from '../../silent/numbers.ts';
import type { PeerRecord } from '../../store/peer-file.ts';
import type { PeerName } from '../../units/names.ts';
import type { Endpoint, IpAddress, Port, ServicePort } from '../../units/network.ts';
import { policyOf } from '../policy.ts';

/** That a peer may come in silently: by which way, to one port at one address. */
export interface Offer extends Target {
  readonly peer: PeerName;
  readonly way: Way;
  readonly port: Port;
  /** All ports of the service, which the gate leads to. */
  readonly ports: readonly ServicePort[];
}

/** An offer with what its numbers are made with. */
export interface KeyedOffer extends Offer {
  /** The same for the same numbers, whichever way they lead. */
  readonly id: string;
  readonly key: Mac;
}

type Folder = Pick<ServerFolder, 'config' | 'peers'>;

/** Nobody knows where a client will come from, and what a service's policy says does not depend on it. */
const anywhere: Endpoint = { address: '::' as IpAddress, port: 0 };

/**
 * What policy lets peers have silently: a number of their own is as narrow as `bound`, and where that is too wide the gate is
 * what they can have.
 */
export function offersOf(
  { config, peers }: Folder,
  { admissions }: Pick<Firewall, 'admissions'>,
): readonly Offer[] {
  const policy = policyOf(config, new Map(peers.map((peer) => [peer.name, peer])));
  return peers.flatMap((peer) =>
    peer.services.flatMap((service) => {
      const ports = config.services.get(service)?.ports ?? [];
      return ports
        .filter(({ protocol }) => protocol === 'tcp')
        .flatMap((port) => {
          const way = wayFor(policy, { peer: peer.name, service, port }, admissions);
          if (way === null) return [];
          return config.silent.addresses.map((address) => ({
            ...{ peer: peer.name, service, way, ports },
            port: port.port,
            destination: { address, port: port.port },
          }));
        });
    }),
  );
}

function wayFor(
  policy: Policy,
  wanted: { peer: PeerName; service: Offer['service']; port: ServicePort },
  enforceable: Firewall['admissions'],
): Way | null {
  const allows = (admission: 'bound' | 'gate'): boolean =>
    !('kind' in decide(policy, { ...wanted, admission, observed: anywhere }, enforceable));
  if (allows('bound')) return 'service';
  return allows('gate') ? 'gate' : null;
}

/** The offers with their keys, one derivation for each peer. */
export function withKeys(
  offers: readonly Offer[],
  { peers, responderId }: Pick<ServerFolder, 'peers' | 'responderId'>,
): readonly KeyedOffer[] {
  const keys = new Map(peers.map((peer) => [peer.name, keyed(peer, responderId)]));
  return offers.flatMap((offer) => {
    const own = keys.get(offer.peer);
    if (own === undefined) return [];
    const { service, destination, port } = offer;
    const id = `${own.id} ${service} ${destination.address} ${String(port)}`;
    return [{ ...offer, id, key: own.key }];
  });
}

function keyed({ secret }: PeerRecord, responderId: Uint8Array): { id: string; key: Mac } {
  const key = silentKey({ secret, responderId });
  return { key, id: toHex(key.of(ascii('id')).subarray(0, 8)) };
}
