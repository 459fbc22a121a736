import test from 'ava';
import { changePacket, type Packet, readPacket } from '../../../src/lab/packet.ts';

// Made by Python's struct, with checksums after RFC 1071, from the fields that stand beside them.

/** 192.0.2.1:8080 to 198.51.100.2:80, sequence number 1000, PSH and ACK, `GET` */
const tcp =
  '4500002b0001000040068e95c0000201c63364021f900050000003e8000007d050182000dcb40000474554';

/** The same from 203.0.113.9, sequence number 1003, `PUT!` */
const tcpChanged =
  '4500002c000100004006148ccb007109c63364021f900050000003eb000007d0501820005977000050555421';

/** 192.0.2.2:12345 to 203.0.113.9:53, `abc` */
const udp = '4500001f0001000040117cc1c0000202cb00710930390035000b0cfb616263';

/** The same to 198.51.100.2, `abcde` */
const udpChanged = '450000210001000040118e93c0000202c633640230390035000db9666162636465';

/** The same as `udp`, to port 54. */
const udpElsewhere = '4500001f0001000040117cc1c0000202cb00710930390036000b0cfa616263';

function read(hex: string): Packet {
  const packet = readPacket(Buffer.from(hex, 'hex'));
  if (packet === null) throw new Error('not read');
  return packet;
}

function hexOf({ bytes }: Packet): string {
  return Buffer.from(bytes).toString('hex');
}

test('a packet is read', (t) => {
  t.like(read(tcp), {
    source: '192.0.2.1',
    destination: '198.51.100.2',
    protocol: 'tcp',
    sourcePort: 8080,
    destinationPort: 80,
    tcp: { sequence: 1000, flags: 24 },
  });
  t.is(Buffer.from(read(tcp).payload).toString(), 'GET');
  t.like(read(udp), { protocol: 'udp', sourcePort: 12_345, destinationPort: 53, tcp: null });
  t.is(Buffer.from(read(udp).payload).toString(), 'abc');
});

test('what lies behind the end of a packet is not part of it', (t) => {
  t.is(hexOf(read(`${udp}0000`)), udp);
});

test('no packet: every shorter beginning of one, IPv6, nothing', (t) => {
  for (const hex of [tcp, udp]) {
    for (let length = 0; length < hex.length; length += 2) {
      t.is(readPacket(Buffer.from(hex.slice(0, length), 'hex')), null);
    }
  }
  t.is(readPacket(Buffer.from(`6${tcp.slice(1)}`, 'hex')), null);
});

test('a change mends lengths and checksums, and leaves the packet that it was made from', (t) => {
  const packet = read(tcp);
  const payload = Buffer.from('PUT!');
  t.is(hexOf(changePacket(packet, { source: '203.0.113.9', sequence: 1003, payload })), tcpChanged);
  t.is(
    hexOf(changePacket(read(udp), { destination: '198.51.100.2', payload: Buffer.from('abcde') })),
    udpChanged,
  );
  t.is(hexOf(changePacket(read(udp), { destinationPort: 54 })), udpElsewhere);
  t.is(hexOf(packet), tcp);
  t.is(hexOf(changePacket(packet, {})), tcp);
});

test('sequence numbers begin again at 2^32', (t) => {
  t.is(changePacket(read(tcp), { sequence: 2 ** 32 + 5 }).tcp?.sequence, 5);
});
