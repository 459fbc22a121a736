/** A datagram between two IPv4 hosts, the ports of which are all that matters. */
export interface Datagram {
  readonly from: number;
  readonly to: number;
  readonly payload: Uint8Array;
}

const rawIp = 101;
const headersLength = 28;

/** A capture file of some datagrams, a second apart (draft-ietf-opsawg-pcap). */
export function pcapOf(datagrams: readonly Datagram[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(rawIp, 20);
  return Buffer.concat([header, ...datagrams.flatMap(recordOf)]);
}

function recordOf({ from, to, payload }: Datagram, second: number): readonly Uint8Array[] {
  const length = headersLength + payload.length;
  const record = Buffer.alloc(16);
  record.writeUInt32LE(second, 0);
  record.writeUInt32LE(length, 8);
  record.writeUInt32LE(length, 12);
  const headers = Buffer.alloc(headersLength);
  headers.writeUInt8(0x45, 0);
  headers.writeUInt16BE(length, 2);
  headers.writeUInt8(64, 8);
  headers.writeUInt8(17, 9);
  headers.set([192, 0, 2, 1], 12);
  headers.set([192, 0, 2, 1], 16);
  headers.writeUInt16BE(from, 20);
  headers.writeUInt16BE(to, 22);
  headers.writeUInt16BE(length - 20, 24);
  return [record, headers, payload];
}
