import { ipaddr } from './ipaddr.ts';
import type { Endpoint, IpAddress } from '../units/network.ts';
import { isZero } from './bytes.ts';
import { decodeUint16, encodeUint16 } from './integer.ts';

/** Length of an endpoint on the wire: 16 bytes of address, 2 of port (wire.md, section 2). */
export const ENDPOINT_LENGTH = 18;

/** Where the port stands in an encoded endpoint; the address is all that stands before it. */
export const ADDRESS_LENGTH = 16;

/**
 * Reads an address and gives its canonical text: RFC 5952 for IPv6, IPv4 for an IPv4-mapped one,
 * any zone (`%eth0`) taken off. Null for anything that is not an address.
 */
export function parseAddress(text: string): IpAddress | null {
  const bare = text.split('%', 1)[0] ?? '';
  // only four plain decimal numbers: the library would also take 0x7f.1 and 127.1, which nobody means
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return bare as IpAddress;
  const grouped = withHexTail(bare);
  return ipaddr.IPv6.isValid(grouped) ? textOf(ipaddr.process(grouped)) : null;
}

/** Whether an address is IPv4 or IPv6. */
export function familyOf(address: IpAddress): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

/** Writes an endpoint at `offset`, IPv4 as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2). */
export function encodeEndpoint(endpoint: Endpoint, into: Uint8Array, offset: number): void {
  if (familyOf(endpoint.address) === 6) {
    into.set(ipaddr.IPv6.parse(endpoint.address).toByteArray(), offset);
  } else {
    encodeIpv4(endpoint.address, into, offset);
  }
  encodeUint16(endpoint.port, into, offset + ADDRESS_LENGTH);
}

/** Reads the endpoint at `offset`; any 18 bytes are one. */
export function decodeEndpoint(bytes: Uint8Array, offset: number): Endpoint {
  const address = bytes.subarray(offset, offset + ADDRESS_LENGTH);
  return {
    address: isIpv4Mapped(address)
      ? (address.subarray(IPV4_AT).join('.') as IpAddress)
      : textOf(new ipaddr.IPv6([...address])),
    port: decodeUint16(bytes, offset + ADDRESS_LENGTH),
  };
}

// Node writes the IPv6 source ::c000:201 as `::192.0.2.1`, and the library reads that as IPv4: one source would pass for
// another (P11). Written in groups, only ::ffff:0:0/96 is IPv4.
function withHexTail(text: string): string {
  const tailAt = text.lastIndexOf(':') + 1;
  const tail = text.slice(tailAt);
  if (!tail.includes('.')) return text;
  if (!ipaddr.IPv4.isValidFourPartDecimal(tail)) return '';
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv4.parse(tail).octets;
  return `${text.slice(0, tailAt)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** Where the four bytes stand in an IPv4-mapped address, ::ffff:0:0/96. */
const IPV4_AT = 12;

function isIpv4Mapped(address: Uint8Array): boolean {
  return isZero(address, 0, IPV4_AT - 2) && address[10] === 0xff && address[11] === 0xff;
}

// once per datagram, so it reads the canonical digits itself: a fifth of the library's time
function encodeIpv4(address: IpAddress, into: Uint8Array, offset: number): void {
  into.fill(0, offset, offset + 10);
  into[offset + 10] = 0xff;
  into[offset + 11] = 0xff;
  let at = offset + IPV4_AT;
  let octet = 0;
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i);
    if (code === 0x2e) {
      into[at++] = octet;
      octet = 0;
    } else {
      octet = octet * 10 + (code - 0x30);
    }
  }
  into[at] = octet;
}

function textOf(address: ReturnType<typeof ipaddr.process>): IpAddress {
  const text = address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
  return text as IpAddress;
}
