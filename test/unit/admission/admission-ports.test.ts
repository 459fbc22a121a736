import test from 'ava';
import { AdmissionPorts } from '../../../src/admission/admission-ports.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import type { Entropy } from '../../../src/host/entropy.ts';
import type { Port } from '../../../src/units/network.ts';
import { parseDuration } from '../../../src/units/time.ts';
import { address, home } from '../grants/plans.ts';

const range = { first: 10_000 as Port, last: 32_767 as Port };
const lifetime = parseDuration('30s');

/** Gives these numbers, two bytes each, again and again. */
function drawing(...numbers: readonly number[]): Entropy {
  let at = 0;
  return {
    bytes: () => {
      const number = numbers[at++ % numbers.length] ?? 0;
      return Uint8Array.of(number >> 8, number & 255);
    },
  };
}

function portsOf(entropy: Entropy, capacity = 100) {
  const clock = new FakeClock();
  const ports = new AdmissionPorts({ clock, entropy, range, capacity });
  const draw = (source = home, isUsed: (port: Port) => boolean = () => false): number | null =>
    ports.draw(source, lifetime, isUsed);
  return { clock, ports, draw };
}

test('every port of the range comes up as often as any other', (t) => {
  const { ports, clock } = portsOf(drawing(...Array.from({ length: 65_536 }, (_, i) => i)));
  const counts = new Map<number, number>();
  const size = range.last - range.first + 1;
  for (let i = 0; i < 2 * size; i++) {
    const port = ports.draw(home, parseDuration('1ms'), () => false) ?? 0;
    counts.set(port, (counts.get(port) ?? 0) + 1);
    clock.advance(2000);
  }
  t.is(counts.size, size);
  t.deepEqual(new Set(counts.values()), new Set([2]));
  t.deepEqual([Math.min(...counts.keys()), Math.max(...counts.keys())], [range.first, range.last]);
});

test('a port that a grant for the source has is not drawn again until a second after its end', (t) => {
  const { draw, clock } = portsOf(drawing(7, 7, 8));
  t.is(draw(), 10_007);
  t.is(draw(), 10_008);
  t.is(draw(address('192.0.2.9')), 10_007);
  clock.advance(30_999);
  t.is(draw(), null);
  clock.advance(1);
  t.not(draw(), null);
});

test('a port that is wanted for something else is not drawn', (t) => {
  const { draw } = portsOf(drawing(7, 9));
  const isUsed = (port: number): boolean => port === 10_007;
  t.is(draw(home, isUsed), 10_009);
});

test('a port that somebody has chosen is not drawn as long as his grant lasts', (t) => {
  const { draw, ports } = portsOf(drawing(7, 8));
  ports.take(home, lifetime, 10_007 as Port);
  t.is(draw(), 10_008);
});

test('of more than it may remember, the port drawn first is forgotten', (t) => {
  const { draw } = portsOf(drawing(1, 2, 3, 1), 2);
  const drawn = Array.from({ length: 4 }, () => draw());
  t.deepEqual(drawn, [10_001, 10_002, 10_003, 10_001]);
});
