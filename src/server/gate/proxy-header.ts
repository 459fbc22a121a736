import { ADDRESS_LENGTH, encodeEndpoint, ENDPOINT_LENGTH, familyOf } from '../../bytes/address.ts';
import { concat } from '../../bytes/bytes.ts';
import type { Endpoint, Protocol } from '../../units/network.ts';

const SIGNATURE = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10);

/** Version 2, command PROXY. */
const PROXY = 0x21;
const IPV4 = 0x10;
const IPV6 = 0x20;
const transports: Readonly<Record<Protocol, number>> = { tcp: 1, udp: 2 };

/** Where a connection came from and went to, as the service is told. */
export interface Announced {
  readonly protocol: Protocol;
  readonly source: Endpoint;
  /** Of the source's family. */
  readonly destination: Endpoint;
}

/** The header of the PROXY protocol, version 2 (haproxy, doc/proxy-protocol.txt, section 2.2). */
export function proxyHeader({ protocol, source, destination }: Announced): Uint8Array {
  const isIpv4 = familyOf(source.address) === 4;
  const [from, to] = [encoded(source), encoded(destination)];
  // IPv4 stands at the end of its IPv4-mapped form
  const addressAt = isIpv4 ? ADDRESS_LENGTH - 4 : 0;
  const addresses = [from, to].map((each) => each.subarray(addressAt, ADDRESS_LENGTH));
  const ports = [from, to].map((each) => each.subarray(ADDRESS_LENGTH));
  const body = concat(...addresses, ...ports);
  const family = (isIpv4 ? IPV4 : IPV6) + transports[protocol];
  return concat(SIGNATURE, Uint8Array.of(PROXY, family, 0, body.length), body);
}

function encoded(endpoint: Endpoint): Uint8Array {
  const bytes = new Uint8Array(ENDPOINT_LENGTH);
  encodeEndpoint(endpoint, bytes, 0);
  return bytes;
}
