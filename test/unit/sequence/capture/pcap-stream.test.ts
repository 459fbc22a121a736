import test from 'ava';
import fc from 'fast-check';
import { toHex } from '../../../../src/bytes/bytes.ts';
import { LINKTYPE_NFLOG, payloadOfNflog } from '../../../../src/sequence/capture/nflog.ts';
import {
  type PcapFault,
  type PcapRecord,
  PcapStream,
} from '../../../../src/sequence/capture/pcap-stream.ts';
import { ipv4, nflog, pcap, tcp } from './packets.ts';

const packets = [7000, 7001, 7002].map((port) => ipv4(6, tcp(port)));

/** Reads a stream in pieces, and gives the packets in it. */
function read(pieces: readonly Uint8Array[]): { packets: string[]; fault: PcapFault | null } {
  const stream = new PcapStream();
  const found: string[] = [];
  let fault: PcapFault | null = null;
  const take = ({ bytes, linkType, littleEndian }: PcapRecord): void => {
    const payload = payloadOfNflog(bytes, { littleEndian });
    if (linkType === LINKTYPE_NFLOG && typeof payload !== 'string') found.push(toHex(payload));
  };
  for (const piece of pieces) fault = stream.push(piece, take);
  return { packets: found, fault };
}

for (const littleEndian of [true, false]) {
  const stream = pcap(
    packets.map((packet) => nflog(packet, littleEndian)),
    littleEndian,
  );
  const order = littleEndian ? 'little' : 'big';

  test(`a ${order}-endian stream, in one piece and byte by byte`, (t) => {
    const expected = { packets: packets.map(toHex), fault: null };
    t.deepEqual(read([stream]), expected);
    t.deepEqual(read([...stream].map((byte) => Uint8Array.of(byte))), expected);
  });

  test(`a ${order}-endian stream, cut anywhere`, (t) => {
    fc.assert(
      fc.property(fc.nat(stream.length), (at) => {
        const { packets: found } = read([stream.subarray(0, at), stream.subarray(at)]);
        t.is(found.length, 3);
      }),
    );
  });
}

test('nanosecond times make no difference', (t) => {
  const stream = pcap(packets.map((packet) => nflog(packet)));
  stream.set([0x4d, 0x3c, 0xb2, 0xa1]);
  t.is(read([stream]).packets.length, 3);
});

test('something else than pcap is a fault, at once and from then on', (t) => {
  const stream = new PcapStream();
  const take = (): void => {
    t.fail();
  };
  t.is(stream.push(new Uint8Array(24).fill(0x41), take), 'not a pcap stream');
  t.is(stream.push(pcap([nflog(packets[0] ?? ipv4(6, tcp(1)))]), take), 'not a pcap stream');
  t.false(stream.hasBegun);
});

test('a version of the format that nobody has written is a fault', (t) => {
  const stream = pcap([]);
  stream[4] = 3;
  t.is(read([stream]).fault, 'not a pcap stream');
});

test('a length that no packet has is a fault; what came before counts', (t) => {
  const stream = pcap(packets.map((packet) => nflog(packet)));
  const second = 24 + 16 + nflog(packets[0] ?? new Uint8Array(0)).length;
  new DataView(stream.buffer, stream.byteOffset).setUint32(second + 8, 65_537, true);
  t.deepEqual(read([stream]), {
    packets: packets.slice(0, 1).map(toHex),
    fault: 'a record longer than any packet',
  });
});

test('whatever the bytes, nothing is thrown', (t) => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 });
  fc.assert(
    fc.property(pieces, fc.boolean(), (garbage, begins) => {
      t.notThrows(() => read(begins ? [pcap([]), ...garbage] : garbage));
    }),
  );
});

test('a record without a payload, and one whose attributes lead nowhere', (t) => {
  const sound = nflog(ipv4(6, tcp(7000)));
  const order = { littleEndian: true };
  t.is(payloadOfNflog(sound.subarray(0, 12), order), 'truncated');
  t.is(payloadOfNflog(new Uint8Array(3), order), 'truncated');
  const still = sound.slice();
  still[4] = 3;
  t.is(payloadOfNflog(still, order), 'malformed');
  const past = sound.slice();
  past[5] = 0xff;
  t.is(payloadOfNflog(past, order), 'truncated');
});
