import { addresses, FIRST_CLIENT_PORT, FIRST_NEIGHBOUR_PORT } from '../network.ts';
import { ACK, FIN, type Packet, PSH, RST, SYN, URG } from '../packet.ts';
import type { Passed } from '../wire.ts';

/** A line of a timeline: who sent what to whom, what became of it, and how often this came in a row. */
export interface Line {
  /** Since the first packet. */
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly what: string;
  readonly fate: Passed['fate'];
  readonly times: number;
}

/** What passed the router, in words; the same several times in a row is one line. */
export function timelineOf(passed: readonly Passed[]): readonly Line[] {
  const [first] = passed;
  const lines: Line[] = [];
  for (const each of passed) {
    const line = lineOf(each, first?.atUnixMs ?? 0);
    const last = lines.at(-1);
    if (last !== undefined && isSame(last, line)) {
      lines[lines.length - 1] = { ...last, times: last.times + 1 };
    } else lines.push(line);
  }
  return lines;
}

function lineOf({ packet, side, fate, atUnixMs }: Passed, startUnixMs: number): Line {
  const { source, sourcePort, destination, destinationPort } = packet;
  const sender = {
    attacker: `attacker, as ${nameOf(source, sourcePort)}`,
    nat: nameOf(source, sourcePort),
    stranger: 'attacker',
    server: 'server',
  }[side];
  return {
    atMs: atUnixMs - startUnixMs,
    from: sender === 'attacker, as attacker' ? 'attacker' : sender,
    to: nameOf(destination, destinationPort),
    what: contentOf(packet),
    fate,
    times: 1,
  };
}

/** Whose an address is; behind the NAT the port tells, which the NAT has given. */
function nameOf(address: string, port: number): string {
  switch (address) {
    case addresses.server:
      return 'server';
    case addresses.stranger:
      return 'attacker';
    case addresses.twin:
      return 'second server';
    case addresses.nobody:
      return 'nobody';
    case addresses.nat:
      if (port >= FIRST_NEIGHBOUR_PORT) return 'neighbour';
      return port >= FIRST_CLIENT_PORT ? 'client' : 'NAT';
    case addresses.client:
      return 'client';
    default:
      return address.startsWith('10.') ? 'somebody' : address;
  }
}

function contentOf({
  protocol,
  tcp,
  destinationPort,
  sourcePort,
  payload,
  source,
}: Packet): string {
  const port =
    source === addresses.server ? `from ${String(sourcePort)}` : `to ${String(destinationPort)}`;
  const size = payload.length > 0 ? `, ${String(payload.length)} bytes` : '';
  if (tcp === null) return protocol === 'udp' ? `UDP ${port}${size}` : protocol.toUpperCase();
  return `TCP ${port}, ${flagsOf(tcp.flags)}${size}`;
}

const flagNames = [
  [SYN, 'SYN'],
  [FIN, 'FIN'],
  [RST, 'RST'],
  [PSH, 'PSH'],
  [ACK, 'ACK'],
  [URG, 'URG'],
] as const;

function flagsOf(flags: number): string {
  const names = flagNames.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name);
  return names.join(' ');
}

function isSame(a: Line, b: Line): boolean {
  return a.from === b.from && a.to === b.to && a.what === b.what && a.fate === b.fate;
}
