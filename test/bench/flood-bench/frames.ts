/** What goes over the wire, and where it says that it comes from. */
export interface Packet {
  readonly source: Source;
  /** UDP; without it a SYN. */
  readonly payload?: Uint8Array;
  readonly port: number;
}

export interface Source {
  /** IPv4, dotted */
  readonly address: string;
  readonly port: number;
}

/** Both ends of the wire in front of a server. */
export interface Wire {
  /** 12 bytes: Ethernet addresses of the receiver and the sender. */
  readonly ethernet: Uint8Array;
  /** IPv4, dotted */
  readonly server: string;
}

export const ETHERNET_LENGTH = 14;
const IPV4_LENGTH = 20;
const UDP_LENGTH = 8;
const SYN_LENGTH = 20;
const UDP = 17;
const TCP = 6;

/** An Ethernet frame with an IPv4 packet in it, all checksums right, that of UDP left out as IPv4 allows. */
export function frameOf(packet: Packet, wire: Wire): Buffer {
  const segment = packet.payload === undefined ? synOf(packet) : datagramOf(packet, packet.payload);
  const frame = Buffer.concat([Buffer.alloc(ETHERNET_LENGTH + IPV4_LENGTH), segment]);
  frame.set(wire.ethernet, 0);
  frame.writeUInt16BE(0x0800, 12);
  const header = frame.subarray(ETHERNET_LENGTH, ETHERNET_LENGTH + IPV4_LENGTH);
  header.set([0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, packet.payload === undefined ? TCP : UDP]);
  header.writeUInt16BE(IPV4_LENGTH + segment.length, 2);
  header.set(octetsOf(packet.source.address), 12);
  header.set(octetsOf(wire.server), 16);
  header.writeUInt16BE(checksumOf(header), 10);
  if (packet.payload === undefined) sealSyn(frame);
  return frame;
}

function datagramOf({ source, port }: Packet, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(UDP_LENGTH);
  header.writeUInt16BE(source.port, 0);
  header.writeUInt16BE(port, 2);
  header.writeUInt16BE(UDP_LENGTH + payload.length, 4);
  return Buffer.concat([header, payload]);
}

function synOf({ source, port }: Packet): Buffer {
  const header = Buffer.alloc(SYN_LENGTH);
  header.writeUInt16BE(source.port, 0);
  header.writeUInt16BE(port, 2);
  header.writeUInt32BE(source.port * 65_537, 4);
  header.set([0x50, 0x02, 0xff, 0xff], 12);
  return header;
}

/** TCP's checksum is over the addresses too (RFC 9293, section 3.1). */
function sealSyn(frame: Buffer): void {
  const pseudo = Buffer.alloc(12);
  pseudo.set(frame.subarray(ETHERNET_LENGTH + 12, ETHERNET_LENGTH + IPV4_LENGTH));
  pseudo.writeUInt16BE(TCP, 8);
  pseudo.writeUInt16BE(SYN_LENGTH, 10);
  const segment = frame.subarray(ETHERNET_LENGTH + IPV4_LENGTH);
  segment.writeUInt16BE(checksumOf(Buffer.concat([pseudo, segment])), 16);
}

/** RFC 1071, of an even number of bytes. */
function checksumOf(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function octetsOf(address: string): readonly number[] {
  return address.split('.').map(Number);
}
