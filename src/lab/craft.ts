import { randomBytes, randomInt } from 'node:crypto';
import { concat } from '../bytes/bytes.ts';
import { encodeUint16, encodeUint32 } from '../bytes/integer.ts';
import { changePacket, type Packet, readPacket, SYN } from './packet.ts';

/*
 * Packets that no program of the system would send. Their source is 0.0.0.0 until somebody sends them, and their source port is
 * another one each time.
 */

interface Target {
  readonly address: string;
  readonly port: number;
}

const numbers = { icmp: 1, tcp: 6, udp: 17 } as const;

const HEADER_LENGTH = 20;
const ECHO_REQUEST = 8;
const TTL = 64;
const WINDOW = 64_240;

/** Segment size, selective acknowledgements, timestamp, nothing, window scale. */
const synOptions = Uint8Array.of(
  ...[2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7],
);

export function datagram({ address, port }: Target, payload: Uint8Array): Packet {
  const header = new Uint8Array(8);
  encodeUint16(anyPort(), header, 0);
  encodeUint16(port, header, 2);
  return packetTo(address, 'udp', concat(header, payload));
}

/** Without data, its sequence number drawn at random; a SYN is like those of Linux. */
export function segment({ address, port }: Target, flags: number): Packet {
  const header = concat(new Uint8Array(20), flags === SYN ? synOptions : new Uint8Array());
  encodeUint16(anyPort(), header, 0);
  encodeUint16(port, header, 2);
  encodeUint32(randomInt(2 ** 32), header, 4);
  header[12] = (header.length / 4) << 4;
  header[13] = flags;
  encodeUint16(WINDOW, header, 14);
  return packetTo(address, 'tcp', header);
}

export function echoRequest(address: string): Packet {
  const header = new Uint8Array(8);
  header[0] = ECHO_REQUEST;
  header.set(randomBytes(4), 4);
  return packetTo(address, 'icmp', header);
}

/** The same as the beginning of something whose rest never comes. */
export function firstFragment({ bytes }: Packet): Packet {
  const beginning = Uint8Array.from(bytes);
  beginning[6] = 0x20; // more fragments
  return mended(beginning);
}

function packetTo(address: string, protocol: keyof typeof numbers, body: Uint8Array): Packet {
  const header = new Uint8Array(HEADER_LENGTH);
  header[0] = 0x45; // version 4, a header of five words
  encodeUint16(HEADER_LENGTH + body.length, header, 2);
  header.set(randomBytes(2), 4);
  header[6] = 0x40; // not to be cut up (RFC 791, section 3.1)
  header[8] = TTL;
  header[9] = numbers[protocol];
  header.set(address.split('.').map(Number), 16);
  return mended(concat(header, body));
}

function mended(bytes: Uint8Array): Packet {
  const packet = readPacket(bytes);
  if (packet === null) throw new RangeError('that is no packet');
  return changePacket(packet, {});
}

function anyPort(): number {
  return randomInt(1024, 65_536);
}
