import { concat } from '../../../../src/bytes/bytes.ts';

/** An IPv4 packet from 192.0.2.7 to 198.51.100.2. */
export function ipv4(
  protocol: number,
  payload: Uint8Array,
  { fragment = 0x4000, options = new Uint8Array(0) } = {},
): Uint8Array {
  const header = new Uint8Array(20);
  const view = new DataView(header.buffer);
  header[0] = 0x40 | ((20 + options.length) / 4);
  view.setUint16(2, 20 + options.length + payload.length);
  view.setUint16(6, fragment);
  header.set([57, protocol], 8);
  header.set([192, 0, 2, 7, 198, 51, 100, 2], 12);
  return concat(header, options, payload);
}

/** An IPv6 packet from 2001:db8::7 to 2001:db8::2. */
export function ipv6(next: number, payload: Uint8Array): Uint8Array {
  const header = new Uint8Array(40);
  header[0] = 0x60;
  new DataView(header.buffer).setUint16(4, payload.length);
  header.set([next, 58], 6);
  header.set([0x20, 0x01, 0x0d, 0xb8], 8);
  header[23] = 7;
  header.set([0x20, 0x01, 0x0d, 0xb8], 24);
  header[39] = 2;
  return concat(header, payload);
}

/** A TCP header from port 40000 with four bytes of options. */
export function tcp(port: number, flags = 0x02): Uint8Array {
  const header = new Uint8Array(24);
  const view = new DataView(header.buffer);
  view.setUint16(0, 40_000);
  view.setUint16(2, port);
  header[12] = 0x60;
  header[13] = flags;
  view.setUint16(14, 64_240);
  header.set([2, 4, 5, 0xb4], 20);
  return header;
}

/** A datagram of one byte from port 40000. */
export function udp(port: number, length = 9): Uint8Array {
  const datagram = new Uint8Array(9);
  const view = new DataView(datagram.buffer);
  view.setUint16(0, 40_000);
  view.setUint16(2, port);
  view.setUint16(4, length);
  return datagram;
}

/** An NFLOG record around a packet, with an attribute before it as the kernel writes them. */
export function nflog(packet: Uint8Array, littleEndian = true): Uint8Array {
  const record = new Uint8Array(4 + 8 + 4 + packet.length);
  const view = new DataView(record.buffer);
  record[0] = 2;
  view.setUint16(4, 5, littleEndian);
  view.setUint16(6, 10, littleEndian);
  view.setUint16(12, 4 + packet.length, littleEndian);
  view.setUint16(14, 9, littleEndian);
  record.set(packet, 16);
  return record;
}

/** A pcap stream of NFLOG records. */
export function pcap(records: readonly Uint8Array[], littleEndian = true): Uint8Array {
  const header = new DataView(new ArrayBuffer(24));
  header.setUint32(0, 0xa1b2c3d4, littleEndian);
  header.setUint16(4, 2, littleEndian);
  header.setUint16(6, 4, littleEndian);
  header.setUint32(20, 239, littleEndian);
  const parts = records.flatMap((record) => {
    const head = new DataView(new ArrayBuffer(16));
    head.setUint32(8, record.length, littleEndian);
    head.setUint32(12, record.length, littleEndian);
    return [new Uint8Array(head.buffer), record];
  });
  return concat(new Uint8Array(header.buffer), ...parts);
}
