import test from 'ava';
import fc from 'fast-check';
import { END_FRAME, frameHeader, FrameReader } from '../../../../src/admission/gate/frames.ts';

test('frames are read the same however the bytes come', (t) => {
  const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 600 }), { maxLength: 5 });
  const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(bodies, cuts, (sent, sizes) => {
      const wire = Buffer.concat([
        ...sent.flatMap((body) => [frameHeader(body.length), body]),
        END_FRAME,
      ]);
      const reader = new FrameReader();
      const got: Uint8Array[] = [];
      let ends = 0;
      for (let at = 0, i = 0; at < wire.length; i++) {
        const size = sizes[i % sizes.length] ?? 1;
        for (const piece of reader.read(wire.subarray(at, at + size)) ?? []) {
          if (piece === 'end') ends++;
          else got.push(piece);
        }
        at += size;
      }
      return ends === 1 && Buffer.concat(got).equals(Buffer.concat(sent));
    }),
  );
  t.pass();
});

test('nothing may come behind the end', (t) => {
  const reader = new FrameReader();
  t.deepEqual(reader.read(END_FRAME), ['end']);
  t.is(reader.read(Uint8Array.of(0)), null);
  t.is(new FrameReader().read(Uint8Array.of(0, 0, 0)), null);
});
