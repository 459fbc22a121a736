import { concat } from '../bytes/bytes.ts';
import { decodeUint16, decodeUint32, encodeUint16, encodeUint32 } from '../bytes/integer.ts';

/** An IPv4 packet as it passed on a wire, and what an attacker reads of it. */
export interface Packet {
  readonly bytes: Uint8Array;
  readonly source: string;
  readonly destination: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'other';
  /** 0 where the protocol has no ports. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
  /** Null but for TCP. */
  readonly tcp: Segment | null;
}

interface Segment {
  readonly sequence: number;
  readonly flags: number;
}

/** Flags of TCP (RFC 9293, section 3.1). */
export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;
export const URG = 32;

/** What can be written differently in a packet that is sent on. */
export interface Changes {
  readonly source?: string;
  readonly destination?: string;
  readonly payload?: Uint8Array;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly sequence?: number;
  readonly flags?: number;
}

const protocols: Readonly<Record<number, Packet['protocol']>> = { 1: 'icmp', 6: 'tcp', 17: 'udp' };
const HEADER_LENGTH = 20;
const SOURCE_AT = 12;
const DESTINATION_AT = 16;

/** Where the checksum stands in the header of a protocol. */
const checksumAt = { tcp: 16, udp: 6, icmp: 2 } as const;

/** Reads a packet; null for what is no whole IPv4 packet. */
export function readPacket(bytes: Uint8Array): Packet | null {
  if (bytes.length < HEADER_LENGTH || (bytes[0] ?? 0) >> 4 !== 4) return null;
  const end = decodeUint16(bytes, 2);
  const at = ipHeaderLength(bytes);
  const protocol = protocols[bytes[9] ?? 0] ?? 'other';
  if (end > bytes.length || end < at + leastLength(protocol)) return null;
  const isTcp = protocol === 'tcp';
  const hasPorts = isTcp || protocol === 'udp';
  return {
    bytes: bytes.subarray(0, end),
    source: bytes.subarray(SOURCE_AT, SOURCE_AT + 4).join('.'),
    destination: bytes.subarray(DESTINATION_AT, DESTINATION_AT + 4).join('.'),
    protocol,
    sourcePort: hasPorts ? decodeUint16(bytes, at) : 0,
    destinationPort: hasPorts ? decodeUint16(bytes, at + 2) : 0,
    payload: bytes.subarray(payloadAt(bytes, protocol), end),
    tcp: isTcp ? readSegment(bytes, at) : null,
  };
}

function readSegment(bytes: Uint8Array, at: number): Segment {
  return { sequence: decodeUint32(bytes, at + 4), flags: bytes[at + 13] ?? 0 };
}

/** Whether two packets have the same ends. */
export function isBetweenTheSame(a: Packet, b: Packet): boolean {
  return a.source === b.source && a.destination === b.destination;
}

/** The packet with something else in it, lengths and checksums mended. */
export function changePacket(packet: Packet, changes: Changes): Packet {
  const head = packet.bytes.subarray(0, payloadAt(packet.bytes, packet.protocol));
  const bytes = concat(head, changes.payload ?? packet.payload);
  if (changes.source !== undefined) bytes.set(octetsOf(changes.source), SOURCE_AT);
  if (changes.destination !== undefined) bytes.set(octetsOf(changes.destination), DESTINATION_AT);
  const at = ipHeaderLength(bytes);
  if (changes.sourcePort !== undefined) encodeUint16(changes.sourcePort, bytes, at);
  if (changes.destinationPort !== undefined) encodeUint16(changes.destinationPort, bytes, at + 2);
  if (packet.tcp !== null) {
    encodeUint32((changes.sequence ?? packet.tcp.sequence) >>> 0, bytes, at + 4);
    bytes[at + 13] = changes.flags ?? packet.tcp.flags;
  }
  mend(bytes, packet.protocol);
  const changed = readPacket(bytes);
  if (changed === null) throw new RangeError('a packet cannot be that long');
  return changed;
}

function mend(bytes: Uint8Array, protocol: Packet['protocol']): void {
  const at = ipHeaderLength(bytes);
  encodeUint16(bytes.length, bytes, 2);
  encodeUint16(0, bytes, 10);
  encodeUint16(checksum(bytes.subarray(0, at)), bytes, 10);
  if (protocol === 'other') return;
  const length = bytes.length - at;
  if (protocol === 'udp') encodeUint16(length, bytes, at + 4);
  encodeUint16(0, bytes, at + checksumAt[protocol]);
  const sum = checksum(
    concat(protocol === 'icmp' ? new Uint8Array() : pseudoHeaderOf(bytes), bytes.subarray(at)),
  );
  // with UDP 0 would say that there is none (RFC 768)
  encodeUint16(protocol === 'udp' && sum === 0 ? 0xffff : sum, bytes, at + checksumAt[protocol]);
}

/** What the checksums of TCP and UDP cover beside what they stand in (RFC 9293, section 3.1). */
function pseudoHeaderOf(bytes: Uint8Array): Uint8Array {
  const header = new Uint8Array(12);
  header.set(bytes.subarray(SOURCE_AT, SOURCE_AT + 8));
  header[9] = bytes[9] ?? 0;
  encodeUint16(bytes.length - ipHeaderLength(bytes), header, 10);
  return header;
}

/** The internet's checksum (RFC 1071). */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function ipHeaderLength(bytes: Uint8Array): number {
  return ((bytes[0] ?? 0) & 15) * 4;
}

function payloadAt(bytes: Uint8Array, protocol: Packet['protocol']): number {
  const at = ipHeaderLength(bytes);
  return protocol === 'tcp' ? at + ((bytes[at + 12] ?? 0) >> 4) * 4 : at + leastLength(protocol);
}

function leastLength(protocol: Packet['protocol']): number {
  return { tcp: 20, udp: 8, icmp: 8, other: 0 }[protocol];
}

function octetsOf(address: string): readonly number[] {
  return address.split('.').map(Number);
}
