import {
  ADDRESS_LENGTH,
  decodeEndpoint,
  encodeEndpoint,
  ENDPOINT_LENGTH,
} from '../bytes/address.ts';
import { isZero } from '../bytes/bytes.ts';
import { familyOf } from '../bytes/address.ts';
import type { IpAddress } from '../units/network.ts';

/** Length of a client address on the wire. */
export const CLIENT_ADDRESS_LENGTH = ADDRESS_LENGTH;

const IPV4_LENGTH = 4;
/** Where the IPv4 address stands in an IPv4-mapped one. */
const MAPPED_AT = ADDRESS_LENGTH - IPV4_LENGTH;

/** 16 bytes: IPv6, or IPv4 in the first four and zero bytes behind it (sknock.md, section 3). */
export function encodeClientAddress(address: IpAddress): Uint8Array {
  const endpoint = new Uint8Array(ENDPOINT_LENGTH);
  encodeEndpoint({ address, port: 0 }, endpoint, 0);
  if (familyOf(address) === 6) return endpoint.subarray(0, ADDRESS_LENGTH);
  const encoded = new Uint8Array(ADDRESS_LENGTH);
  encoded.set(endpoint.subarray(MAPPED_AT, ADDRESS_LENGTH));
  return encoded;
}

/** Any 16 bytes are an address. An IPv6 address whose last 96 bits are zero has the bytes of an IPv4 one, and reads as that. */
export function decodeClientAddress(bytes: Uint8Array): IpAddress {
  const endpoint = new Uint8Array(ENDPOINT_LENGTH);
  if (isZero(bytes, IPV4_LENGTH)) {
    endpoint.fill(0xff, MAPPED_AT - 2, MAPPED_AT);
    endpoint.set(bytes.subarray(0, IPV4_LENGTH), MAPPED_AT);
  } else {
    endpoint.set(bytes);
  }
  return decodeEndpoint(endpoint, 0).address;
}
