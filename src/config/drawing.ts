import { decodeUint32 } from '../bytes/integer.ts';
import type { Entropy } from '../host/entropy.ts';
import type { PortRange } from '../units/network.ts';

/** As many different ports of a range, in an order that is as random as they are; at most all there are. */
export function drawPorts({ first, last }: PortRange, count: number, entropy: Entropy): number[] {
  const left = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  return Array.from(
    { length: count },
    () => left.splice(drawBelow(left.length, entropy), 1)[0] ?? 0,
  );
}

/** A random number from 0 to `limit` - 1, none of them likelier than another. */
export function drawBelow(limit: number, entropy: Entropy): number {
  const even = 2 ** 32 - (2 ** 32 % limit);
  for (;;) {
    const value = decodeUint32(entropy.bytes(4), 0);
    if (value < even) return value % limit;
  }
}
