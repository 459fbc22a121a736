import type { Heard } from '../../../../src/sequence/tracker.ts';
import type { IpAddress } from '../../../../src/units/network.ts';
import type { MonotonicMs } from '../../../../src/units/time.ts';

/** What has been heard when these packets, written `tcp/7000`, came from one address, each from a port of its own. */
export function trailOf(
  packets: readonly string[],
  {
    source = '192.0.2.7',
    flags = 0x02,
  }: { readonly source?: string; readonly flags?: number } = {},
): readonly Heard[] {
  return packets.map((packet, n) => {
    const [protocol = '', port = ''] = packet.split('/');
    return {
      protocol: protocol as Heard['protocol'],
      source: source as IpAddress,
      sourcePort: 40_000 + n,
      port: Number(port),
      ttl: 57,
      syn: null,
      tcpFlags: protocol === 'tcp' ? flags : null,
      at: n as MonotonicMs,
    };
  });
}
