import test from 'ava';
import {
  DatagramFrameReader,
  encodeDatagramFrame,
} from '../../src/admission/gate/datagram-frames.ts';
import { END_FRAME } from '../../src/admission/gate/frames.ts';
import { concat, toHex } from '../../src/bytes/bytes.ts';
import { bytes, readVectors } from './vector-file.ts';

for (const { name, said, datagrams, then } of readVectors('datagram-frames')) {
  test(name, (t) => {
    const read = new DatagramFrameReader().read(bytes(said));
    if (then === 'broken') {
      t.is(read, null);
      return;
    }
    const got = (read ?? []).flatMap((each) => (each === 'end' ? [] : [each]));
    t.deepEqual(
      got.map((each) => ({ flow: each.flow, datagram: toHex(each.bytes) })),
      datagrams,
    );
    t.is(read?.includes('end') ? 'end' : 'more', then);
    const frames = datagrams.map(({ flow, datagram }) =>
      encodeDatagramFrame({ flow, bytes: bytes(datagram) }),
    );
    const all = concat(
      ...frames.flatMap((each) => each ?? []),
      ...(then === 'end' ? [END_FRAME] : []),
    );
    t.true(said.startsWith(toHex(all)));
  });
}
