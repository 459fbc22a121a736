import { ipaddr } from './ipaddr.ts';
import type { IpAddress, Prefix } from '../units/network.ts';
import { familyOf, parseAddress } from './address.ts';

/**
 * Whom a limit is for: an IPv4 address, or the /64 of an IPv6 address, since one host may use any address of its /64 (RFC 4291,
 * section 2.5.4). For IPv6 the text of the prefix's first address and `/64`.
 */
export function limitKey(address: IpAddress): string {
  if (familyOf(address) === 4) return address;
  const groups = ipaddr.IPv6.parse(address).parts.slice(0, 4);
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`;
}

/**
 * Reads `203.0.113.0/24` or `2001:db8::/32`, or an address alone, which is a prefix of all its bits. Null for anything else,
 * also when bits are set behind the prefix: whoever wrote `203.0.113.7/24` may have meant the one address.
 */
export function parsePrefix(text: string): Prefix | null {
  const [, before = '', digits] = /^([^%/]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const address = parseAddress(before);
  if (address === null) return null;
  const longest = familyOf(address) === 4 ? 32 : 128;
  const length = digits === undefined ? longest : Number(digits);
  if (length > longest || firstOf(address, length) !== address) return null;
  return `${address}/${String(length)}` as Prefix;
}

/** Whether an address is one of a prefix's; never one of the other family. */
export function isWithin(address: IpAddress, prefix: Prefix): boolean {
  const [first = '', length] = prefix.split('/');
  const isSameFamily = familyOf(address) === familyOf(first as IpAddress);
  return isSameFamily && firstOf(address, Number(length)) === first;
}

/** The prefix that a grant is for which is for more than one address (theory.md, section 3): its /24, or its /64 for IPv6. */
export function poolOf(address: IpAddress): Prefix {
  const length = familyOf(address) === 4 ? 24 : 64;
  return `${firstOf(address, length) ?? address}/${String(length)}` as Prefix;
}

/** Whether an address is the one that is meant, or one of the prefix that is meant. */
export function isAt(address: IpAddress, place: IpAddress | Prefix): boolean {
  return place.includes('/') ? isWithin(address, place as Prefix) : address === place;
}

/** The address with all bits behind the first `length` cleared, in its canonical text. */
function firstOf(address: IpAddress, length: number): IpAddress | null {
  const bytes = ipaddr.parse(address).toByteArray();
  const cleared = bytes.map(
    (byte, at) => byte & (0xff00 >> Math.min(8, Math.max(0, length - 8 * at))),
  );
  return parseAddress(ipaddr.fromByteArray(cleared).toString());
}
