import test from 'ava';
import { datagram, echoRequest, firstFragment, segment } from '../../../src/lab/craft.ts';
import { type Packet, SYN } from '../../../src/lab/packet.ts';

const server = '192.0.2.2';

/** The sum of all 16-bit words, which is this when a checksum among them is right (RFC 1071). */
function sumOf(...parts: readonly Uint8Array[]): number {
  const bytes = Buffer.concat(parts);
  const even = Buffer.concat([bytes, Buffer.alloc(bytes.length % 2)]);
  let sum = 0;
  for (let at = 0; at < even.length; at += 2) sum += even.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

const RIGHT = 0xffff;

function pseudoHeader({ bytes }: Packet, protocol: number): Uint8Array {
  return Buffer.concat([bytes.subarray(12, 20), Buffer.from([0, protocol, 0, bytes.length - 20])]);
}

test('packets that are made are what they say, and their checksums are right', (t) => {
  const udp = datagram({ address: server, port: 62_202 }, Buffer.from('abc'));
  t.like(udp, { destination: server, protocol: 'udp', destinationPort: 62_202, tcp: null });
  t.is(Buffer.from(udp.payload).toString(), 'abc');
  const tcp = segment({ address: server, port: 80 }, SYN);
  t.like(tcp, { destination: server, protocol: 'tcp', destinationPort: 80, tcp: { flags: SYN } });
  const icmp = echoRequest(server);
  t.like(icmp, { destination: server, protocol: 'icmp' });
  for (const { bytes } of [udp, tcp, icmp]) t.is(sumOf(bytes.subarray(0, 20)), RIGHT);
  t.is(sumOf(pseudoHeader(udp, 17), udp.bytes.subarray(20)), RIGHT);
  t.is(sumOf(pseudoHeader(tcp, 6), tcp.bytes.subarray(20)), RIGHT);
  t.is(sumOf(icmp.bytes.subarray(20)), RIGHT);
});

test('a first fragment says that there are more', (t) => {
  const whole = datagram({ address: server, port: 1 }, new Uint8Array(64));
  const { bytes } = firstFragment(whole);
  t.is(bytes[6], 0x20);
  t.is(whole.bytes[6], 0x40);
  t.is(sumOf(bytes.subarray(0, 20)), RIGHT);
});
