// That the benchmark of floods (test/bench/flood-bench) still works: a trickle for a moment, and nothing that depends on how fast.
import test from 'ava';
import { type Packet, ETHERNET_LENGTH, frameOf } from '../bench/flood-bench/frames.ts';
import { compareDoors } from '../bench/flood-bench/compare-doors.ts';
import { floodBench } from '../bench/flood-bench/flood-bench.ts';
import { floodPlot } from '../bench/flood-bench/flood-plot.ts';
import { floodTable } from '../bench/flood-bench/flood-report.ts';
import type { Measured } from '../bench/flood-bench/measure.ts';
import { soak, type Soaked } from '../bench/flood-bench/soak.ts';
import { renewSource } from '../bench/flood-bench/renew-sources.ts';
import { netTest, netTestWith } from '../support/capabilities.ts';

const wire = { ethernet: new Uint8Array(12), server: '198.51.100.2' };
const syn: Packet = { source: { address: '10.255.1.2', port: 1025 }, port: 8080 };

/** RFC 1071: over what carries its own checksum the sum is all ones. */
function sumOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

test('a frame keeps its checksums right when its source becomes another', (t) => {
  const frame = frameOf(syn, wire);
  for (const source of ['10.255.1.2', '10.0.1.2', '10.1.1.2']) {
    const header = frame.subarray(ETHERNET_LENGTH, ETHERNET_LENGTH + 20);
    const segment = frame.subarray(ETHERNET_LENGTH + 20);
    t.is(header.subarray(12, 16).join('.'), source);
    t.is(sumOf(header), 0xffff);
    const pseudo = [...header.subarray(12, 20), 0, 6, 0, segment.length];
    t.is(sumOf(Uint8Array.from([...pseudo, ...segment])), 0xffff);
    renewSource(frame);
  }
});

netTestWith(
  'fwknopd',
  'iptables',
  'tcpdump',
)('hknock and fwknop are flooded, and measured', async (t) => {
  const measured: Measured[] = [];
  const versions = await floodBench(
    {
      kinds: ['responses'],
      systems: ['hknock', 'fwknop'],
      seconds: 0.5,
      perSecond: 2000,
      knocks: 2,
      warm: false,
    },
    (each) => measured.push(each),
  );
  t.is(versions.length, 2);
  t.deepEqual(
    measured.map(({ system }) => system),
    ['hknock, shield on', 'fwknop'],
  );
  for (const { rate, legitimate, quiet, residentAfter, amplification } of measured) {
    t.true(rate > 0);
    t.is(legitimate.tried, 2);
    t.true(quiet.succeeded > 0, 'positive control: the client gets in');
    t.true(residentAfter > 0);
    t.true(amplification <= 1);
  }
  t.is(floodTable(measured).split('\n').length, 4);
  t.regex(floodPlot(measured), /recorded Responses/);
});

test('a grant that is lost, and one too many, is seen; one that ends just now is not', (t) => {
  const door = (port: number, endsAt = 10_000) => ({ port, endsAt });
  const told = { held: [door(1), door(2), door(3, 500)], unknown: [4] };
  const kernel = [door(2), door(4), door(5), door(6, 500)];
  t.deepEqual(compareDoors(told, kernel, 0), { compared: 2, lost: 1, tooMany: 1 });
  t.deepEqual(compareDoors(told, [door(1), door(2)], 0), { compared: 2, lost: 0, tooMany: 0 });
});

netTest('the soak compares what the client was told with what the kernel holds', async (t) => {
  const soaked: Soaked[] = [];
  const options = { kinds: ['tagged'], minutes: 0, perSecond: 2000, roundMs: 3000 } as const;
  await soak(options, (each) => soaked.push(each));
  t.like(soaked, [{ kind: 'tagged', lost: 0, tooMany: 0 }]);
  t.true((soaked[0]?.counts.knocks ?? 0) > 0);
});
