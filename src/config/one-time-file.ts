import type { Entropy } from '../host/entropy.ts';
import type { PeerName, ServiceName } from '../units/names.ts';
import { formatPortRange, type PortRange } from '../units/network.ts';
import { drawPorts } from './drawing.ts';

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
  const lines = Array.from({ length: request.count }, () =>
    drawPorts(ports, request.knocks, entropy).join(','),
  );
  return `# Sequences of ports for one knock each. Whoever has this file can knock: hand it on by a safe way, and to one peer only.
kind = "one-time"
peer = "${peer}"
service = "${service}"
ports = "${formatPortRange(ports)}"
${numberPort === null ? '' : `number_port = ${String(numberPort)}\n`}sequences = """
${lines.join('\n')}
"""
`;
}
