import ipaddr from 'ipaddr.js';
import type { IpAddress } from '../units/network.ts';
import { familyOf } from './address.ts';

/**
 * Whom a limit is for: an IPv4 address, or the /64 of an IPv6 address, since one host may use any address of its /64 (RFC 4291,
 * section 2.5.4). For IPv6 the text of the prefix's first address and `/64`.
 */
export function limitKey(address: IpAddress): string {
  if (familyOf(address) === 4) return address;
  const groups = ipaddr.IPv6.parse(address).parts.slice(0, 4);
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`;
}
