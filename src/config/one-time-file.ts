import type { Entropy } from '../host/entropy.ts';
import { decodeUint32 } from '../bytes/integer.ts';
import type { PeerName, ServiceName } from '../units/names.ts';
import type { PortRange } from '../units/network.ts';

export interface OneTimeRequest {
  readonly peer: PeerName;
  readonly service: ServiceName;
  readonly ports: PortRange;
  /** Ports in a sequence, all different; no more than `ports` has. */
  readonly knocks: number;
  readonly count: number;
  readonly numberPort: number | null;
}

/** The text of a new file of sequences for one use each (sequence-one-time.md, section 1). */
export function renderOneTimeFile(request: OneTimeRequest, entropy: Entropy): string {
  const { peer, service, ports, numberPort } = request;
  const lines = Array.from({ length: request.count }, () => draw(request, entropy).join(','));
  return `# Sequences of ports for one knock each. Whoever has this file can knock: hand it on by a safe way, and to one peer only.
kind = "one-time"
peer = "${peer}"
service = "${service}"
ports = "${String(ports.first)}-${String(ports.last)}"
${numberPort === null ? '' : `number_port = ${String(numberPort)}\n`}sequences = """
${lines.join('\n')}
"""
`;
}

/** As many different ports as a sequence has, in an order that is as random as they are. */
function draw({ ports: { first, last }, knocks }: OneTimeRequest, entropy: Entropy): number[] {
  const left = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  return Array.from({ length: knocks }, () => left.splice(below(left.length, entropy), 1)[0] ?? 0);
}

/** A random number from 0 to `limit` - 1, none of them likelier than another. */
function below(limit: number, entropy: Entropy): number {
  const even = 2 ** 32 - (2 ** 32 % limit);
  for (;;) {
    const value = decodeUint32(entropy.bytes(4), 0);
    if (value < even) return value % limit;
  }
}
