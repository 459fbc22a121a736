import { decodeEndpoint } from '../../bytes/address.ts';
import { decodeUint16 } from '../../bytes/integer.ts';
import type { IpAddress } from '../../units/network.ts';
import type { Ignored } from './ignored.ts';

/** What of an IP packet a knock is read from. */
export interface IpPacket {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Of what follows the last header that is IP's own. */
  readonly protocol: number;
  /** Time to live, or hop limit. */
  readonly ttl: number;
  /** False with IPv6, where nobody on the way fragments anyway. */
  readonly dontFragment: boolean;
  /** Of the whole packet, as its header has it. */
  readonly length: number;
  /** As much as was captured, without what lies behind the packet's own end. */
  readonly payload: Uint8Array;
}

/** Reads an IPv4 or IPv6 packet, as far as it was captured. Fragments are none of ours, the first one neither. */
export function decodeIp(bytes: Uint8Array): IpPacket | Ignored {
  switch ((bytes[0] ?? 0) >> 4) {
    case 4:
      return decodeIpv4(bytes);
    case 6:
      return decodeIpv6(bytes);
    default:
      return bytes.length === 0 ? 'truncated' : 'malformed';
  }
}

const IPV4_HEADER_LENGTH = 20;
const DONT_FRAGMENT = 0x4000;
/** "More fragments", and the offset. */
const FRAGMENT = 0x3fff;

function decodeIpv4(bytes: Uint8Array): IpPacket | Ignored {
  if (bytes.length < IPV4_HEADER_LENGTH) return 'truncated';
  const headerLength = ((bytes[0] ?? 0) & 0x0f) * 4;
  const totalLength = decodeUint16(bytes, 2);
  if (headerLength < IPV4_HEADER_LENGTH || totalLength < headerLength) return 'malformed';
  if (bytes.length < headerLength) return 'truncated';
  const fragment = decodeUint16(bytes, 6);
  if ((fragment & FRAGMENT) !== 0) return 'fragment';
  return {
    source: ipv4Text(bytes, 12),
    destination: ipv4Text(bytes, 16),
    protocol: bytes[9] ?? 0,
    ttl: bytes[8] ?? 0,
    dontFragment: (fragment & DONT_FRAGMENT) !== 0,
    length: totalLength,
    payload: bytes.subarray(headerLength, totalLength),
  };
}

function ipv4Text(bytes: Uint8Array, at: number): IpAddress {
  const [a, b, c, d] = bytes.subarray(at, at + 4);
  return `${String(a)}.${String(b)}.${String(c)}.${String(d)}` as IpAddress;
}

const IPV6_HEADER_LENGTH = 40;

function decodeIpv6(bytes: Uint8Array): IpPacket | Ignored {
  if (bytes.length < IPV6_HEADER_LENGTH) return 'truncated';
  const source = decodeEndpoint(bytes, 8).address;
  const destination = decodeEndpoint(bytes, 24).address;
  // an IPv4-mapped address on the wire would pass for the IPv4 host of that address (RFC 4942, section 2.2)
  if (!source.includes(':') || !destination.includes(':')) return 'malformed';
  const end = IPV6_HEADER_LENGTH + decodeUint16(bytes, 4);
  const upper = skipExtensions(bytes.subarray(0, end), bytes[6] ?? 0);
  if (typeof upper === 'string') return upper;
  return { source, destination, ttl: bytes[7] ?? 0, dontFragment: false, length: end, ...upper };
}

/** Hosts send one or two at most; each is a loop for us. */
const MAX_EXTENSIONS = 8;

const FRAGMENT_HEADER = 44;
const AUTHENTICATION = 51;
/** Hop-by-hop, routing, destination options: the second byte counts groups of eight behind the first. */
const counted: readonly number[] = [0, 43, 60];

function skipExtensions(
  packet: Uint8Array,
  first: number,
): Pick<IpPacket, 'protocol' | 'payload'> | Ignored {
  let protocol = first;
  let at = IPV6_HEADER_LENGTH;
  for (let seen = 0; seen <= MAX_EXTENSIONS; seen++) {
    if (protocol === FRAGMENT_HEADER) return 'fragment';
    const isAuthentication = protocol === AUTHENTICATION;
    if (!isAuthentication && !counted.includes(protocol)) {
      return { protocol, payload: packet.subarray(at) };
    }
    const [next, units] = packet.subarray(at, at + 2);
    if (next === undefined || units === undefined) return 'truncated';
    protocol = next;
    at += isAuthentication ? (units + 2) * 4 : (units + 1) * 8;
    if (at > packet.length) return 'truncated';
  }
  return 'extensions';
}
