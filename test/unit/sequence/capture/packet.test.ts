import test from 'ava';
import fc from 'fast-check';
import { concat } from '../../../../src/bytes/bytes.ts';
import { ignoredReasons } from '../../../../src/sequence/capture/ignored.ts';
import { decodePacket, type Packet } from '../../../../src/sequence/capture/packet.ts';
import { isWatched } from '../../../../src/sequence/scheme.ts';
import { ipv4, ipv6, tcp, udp } from './packets.ts';

const syn = {
  protocol: 'tcp',
  source: '192.0.2.7',
  destination: '198.51.100.2',
  sourcePort: 40_000,
  port: 7000,
  ttl: 57,
  tcpFlags: 0x02,
  syn: { window: 64_240, dontFragment: true, length: 44, options: Uint8Array.of(2, 4, 5, 0xb4) },
} as unknown as Packet;

const over6 = { source: '2001:db8::7', destination: '2001:db8::2', ttl: 58 };

/** One group of eight bytes in front of what `next` says. */
const extension = (next: number, payload: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(next, 0, 1, 4, 0, 0, 0, 0), payload);

test('a SYN over IPv4, with what it tells of its sender', (t) => {
  t.deepEqual(decodePacket(ipv4(6, tcp(7000))), syn);
});

test('IPv4 options before it change nothing', (t) => {
  const longer = { ...syn, syn: { ...syn.syn, length: 52 } };
  t.deepEqual(decodePacket(ipv4(6, tcp(7000), { options: new Uint8Array(8) })) as unknown, longer);
});

test('a SYN over IPv6', (t) => {
  t.like(decodePacket(ipv6(6, tcp(7000))), { ...over6, protocol: 'tcp', port: 7000 });
});

test('a datagram, over both', (t) => {
  t.like(decodePacket(ipv4(17, udp(7001))), { protocol: 'udp', port: 7001, syn: null });
  t.like(decodePacket(ipv6(17, udp(7001))), { ...over6, protocol: 'udp', port: 7001 });
});

test('two echo requests of one ping are two', (t) => {
  const echo = (number: number): Uint8Array => Uint8Array.of(8, 0, 0, 0, 0x12, 0x34, 0, number);
  t.like(decodePacket(ipv4(1, echo(1))), { sourcePort: 0x1235 });
  t.like(decodePacket(ipv4(1, echo(2))), { sourcePort: 0x1236 });
  t.is(decodePacket(ipv4(1, echo(1).subarray(0, 7))), 'truncated');
});

test('an echo request, over both; no other ICMP', (t) => {
  const echo = (type: number): Uint8Array => Uint8Array.of(type, 0, 0, 0, 0, 1, 0, 1);
  t.like(decodePacket(ipv4(1, echo(8))), { protocol: 'icmp', port: 0 });
  t.like(decodePacket(ipv6(58, echo(128))), { protocol: 'icmp', port: 0 });
  t.is(decodePacket(ipv4(1, echo(0))), 'other');
  t.is(decodePacket(ipv4(1, echo(128))), 'other');
  t.is(decodePacket(ipv6(58, echo(8))), 'other');
});

for (const [flags, name] of [
  [0x12, 'SYN and ACK'],
  [0x03, 'SYN and FIN'],
  [0x06, 'SYN and RST'],
  [0x10, 'ACK'],
] as const) {
  test(`a segment with ${name} begins no connection, and says so`, (t) => {
    const packet = decodePacket(ipv4(6, tcp(7000, flags)));
    t.like(packet, { port: 7000, tcpFlags: flags, syn: null });
    t.false(isWatched(packet as Packet, [{ protocol: 'tcp', first: 1, last: 65_535 }]));
  });
}

test('a SYN with ECN bits, as Linux sends it where ECN is on, is one', (t) => {
  t.like(decodePacket(ipv4(6, tcp(7000, 0xc2))), { port: 7000, tcpFlags: 0x02 });
});

test('extension headers are skipped', (t) => {
  const authentication = concat(Uint8Array.of(6, 1, 0, 0), new Uint8Array(8), tcp(7000));
  for (const packet of [
    ipv6(0, extension(6, tcp(7000))),
    ipv6(0, extension(43, extension(60, extension(6, tcp(7000))))),
    ipv6(51, authentication),
  ]) {
    t.like(decodePacket(packet), { protocol: 'tcp', port: 7000 });
  }
});

test('eight extension headers are read, nine are not', (t) => {
  const chain = (count: number): Uint8Array => {
    let payload = tcp(7000);
    for (let left = count; left > 0; left--) payload = extension(left === count ? 6 : 60, payload);
    return ipv6(60, payload);
  };
  t.like(decodePacket(chain(8)), { port: 7000 });
  t.is(decodePacket(chain(9)), 'extensions');
});

test('fragments are no knocks, the first one neither', (t) => {
  t.is(decodePacket(ipv4(6, tcp(7000), { fragment: 0x2000 })), 'fragment');
  t.is(decodePacket(ipv4(6, tcp(7000), { fragment: 0x0001 })), 'fragment');
  t.is(decodePacket(ipv6(44, extension(6, tcp(7000)))), 'fragment');
});

test('a header that an extension pushes out of the packet', (t) => {
  const long = Uint8Array.of(6, 200, 0, 0, 0, 0, 0, 0);
  t.is(decodePacket(ipv6(0, concat(long, tcp(7000)))), 'truncated');
});

test('over IPv6 nobody can pass for an IPv4 host', (t) => {
  const packet = ipv6(6, tcp(7000));
  packet.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7], 8);
  t.is(decodePacket(packet), 'malformed');
});

test('headers that contradict themselves', (t) => {
  const shortHeader = ipv4(6, tcp(7000));
  shortHeader[0] = 0x44;
  const shortTotal = ipv4(6, tcp(7000));
  shortTotal[3] = 19;
  const shortTcp = tcp(7000);
  shortTcp[12] = 0x40;
  for (const packet of [shortHeader, shortTotal, ipv4(6, shortTcp), ipv4(17, udp(7001, 7))]) {
    t.is(decodePacket(packet), 'malformed');
  }
  t.is(decodePacket(Uint8Array.of(0x50)), 'malformed');
});

test('what lies behind the packet’s own end is not looked at', (t) => {
  const cut = ipv4(6, new Uint8Array(0));
  t.is(decodePacket(concat(cut, tcp(7000))), 'truncated');
});

test('every beginning of a packet is read or is truncated, and nothing is thrown', (t) => {
  const whole = [
    ipv4(6, tcp(7000)),
    ipv6(0, extension(6, tcp(7000))),
    ipv4(17, udp(7000)),
    ipv6(17, udp(7000)),
  ];
  for (const packet of whole) {
    for (let length = 0; length < packet.length; length++) {
      const decoded = decodePacket(packet.subarray(0, length));
      if (typeof decoded === 'string') t.is(decoded, 'truncated');
      else t.is(decoded.port, 7000, String(length));
    }
  }
});

test('whatever the bytes: a packet or a reason', (t) => {
  const any = fc.tuple(fc.constantFrom(0x45, 0x46, 0x60, 0x00), fc.uint8Array({ maxLength: 120 }));
  fc.assert(
    fc.property(any, ([first, rest]) => {
      const decoded = decodePacket(concat(Uint8Array.of(first), rest));
      t.true(typeof decoded === 'object' || ignoredReasons.includes(decoded));
    }),
    { numRuns: 5000 },
  );
});
