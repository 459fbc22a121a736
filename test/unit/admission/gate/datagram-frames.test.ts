import test from 'ava';
import fc from 'fast-check';
import {
  DatagramFrameReader,
  encodeDatagramFrame,
  type FlowDatagram,
} from '../../../../src/admission/gate/datagram-frames.ts';

test('datagrams are read the same however the bytes come', (t) => {
  const datagram = fc.record({
    flow: fc.integer({ min: 0, max: 65_535 }),
    bytes: fc.uint8Array({ maxLength: 600 }),
  });
  const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(fc.array(datagram, { maxLength: 5 }), cuts, (sent, sizes) => {
      const wire = Buffer.concat(sent.map((each) => encodeDatagramFrame(each) ?? Buffer.of()));
      const reader = new DatagramFrameReader();
      const got: FlowDatagram[] = [];
      for (let at = 0, i = 0; at < wire.length; i++) {
        const size = sizes[i % sizes.length] ?? 1;
        for (const each of reader.read(wire.subarray(at, at + size)) ?? []) {
          if (each !== 'end') got.push({ flow: each.flow, bytes: Uint8Array.from(each.bytes) });
        }
        at += size;
      }
      t.deepEqual(got, sent);
    }),
  );
});

test('whatever comes, the reader does not throw', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (wire) => {
      const read = new DatagramFrameReader().read(wire);
      return read === null || read.length <= wire.length / 2;
    }),
  );
  t.pass();
});

test('no frame is made of what UDP could not carry', (t) => {
  t.is(encodeDatagramFrame({ flow: 0, bytes: new Uint8Array(65_508) }), null);
});
