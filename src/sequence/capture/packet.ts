import { decodeUint16 } from '../../bytes/integer.ts';
import type { IpAddress } from '../../units/network.ts';
import { ALL_TCP_FLAGS, hasFlags, SYN_FLAGS } from '../../units/tcp-flags.ts';
import type { Ignored } from './ignored.ts';
import { decodeIp, type IpPacket } from './ip.ts';

/** A packet that can be a knock: a TCP segment, a UDP datagram or an ICMP echo request. */
export interface Packet {
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** With ICMP identifier and sequence number in one, so that two requests are two. */
  readonly sourcePort: number;
  /** 0 with ICMP */
  readonly port: number;
  /** As it arrived. */
  readonly ttl: number;
  /** The flags of a TCP segment, those of ECN left out; null with the others. */
  readonly tcpFlags: number | null;
  /** What a SYN that begins a connection tells of the system that sent it; null with the others. */
  readonly syn: SynTraits | null;
}

export interface SynTraits {
  readonly window: number;
  readonly dontFragment: boolean;
  /** Of the whole packet, as its IP header has it. */
  readonly length: number;
  /** The options as they stood in the header; shorter where the capture ends before them. */
  readonly options: Uint8Array;
}

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMP6 = 58;

/** Reads an IP packet, as far as it was captured. Never throws. */
export function decodePacket(bytes: Uint8Array): Packet | Ignored {
  const ip = decodeIp(bytes);
  if (typeof ip === 'string') return ip;
  switch (ip.protocol) {
    case TCP:
      return decodeSegment(ip);
    case UDP:
      return decodeUdp(ip);
    case ICMP:
    case ICMP6:
      return decodeEcho(ip);
    default:
      return 'other';
  }
}

const TCP_HEADER_LENGTH = 20;

function decodeSegment({ payload, ...ip }: IpPacket): Packet | Ignored {
  if (payload.length < TCP_HEADER_LENGTH) return 'truncated';
  const headerLength = ((payload[12] ?? 0) >> 4) * 4;
  if (headerLength < TCP_HEADER_LENGTH) return 'malformed';
  const tcpFlags = (payload[13] ?? 0) & ALL_TCP_FLAGS;
  const knock = { ...knockOf('tcp', ip, payload), tcpFlags };
  if (!hasFlags(tcpFlags, SYN_FLAGS)) return { ...knock, syn: null };
  const { dontFragment, length } = ip;
  const options = payload.slice(TCP_HEADER_LENGTH, headerLength);
  return { ...knock, syn: { window: decodeUint16(payload, 14), dontFragment, length, options } };
}

const UDP_HEADER_LENGTH = 8;

function decodeUdp({ payload, ...ip }: IpPacket): Packet | Ignored {
  if (payload.length < UDP_HEADER_LENGTH) return 'truncated';
  if (decodeUint16(payload, 4) < UDP_HEADER_LENGTH) return 'malformed';
  return { ...knockOf('udp', ip, payload), tcpFlags: null, syn: null };
}

/** Type of an echo request in ICMP (RFC 792) and ICMPv6 (RFC 4443). */
const ECHO: Readonly<Record<number, number>> = { [ICMP]: 8, [ICMP6]: 128 };

const ECHO_LENGTH = 8;

/** What stands in place of a source port: another one for another request. */
export function echoPort(identifier: number, sequenceNumber: number): number {
  return identifier ^ sequenceNumber;
}

function decodeEcho({ payload, ...ip }: IpPacket): Packet | Ignored {
  const [type, code] = payload;
  if (type === undefined || code === undefined) return 'truncated';
  if (type !== ECHO[ip.protocol] || code !== 0) return 'other';
  if (payload.length < ECHO_LENGTH) return 'truncated';
  const { source, destination, ttl } = ip;
  const sourcePort = echoPort(decodeUint16(payload, 4), decodeUint16(payload, 6));
  const ports = { sourcePort, port: 0 };
  return { protocol: 'icmp', source, destination, ...ports, ttl, tcpFlags: null, syn: null };
}

function knockOf(
  protocol: 'tcp' | 'udp',
  { source, destination, ttl }: Omit<IpPacket, 'payload'>,
  payload: Uint8Array,
): Omit<Packet, 'syn' | 'tcpFlags'> {
  const sourcePort = decodeUint16(payload, 0);
  return { protocol, source, destination, sourcePort, port: decodeUint16(payload, 2), ttl };
}
