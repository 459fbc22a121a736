import { interfaceTo } from '../../support/netns.ts';
import { addresses, type Topology } from '../../support/topology.ts';
import { Recording } from '../../interop/peers/recording.ts';

/** What somebody on the wire in front of the server writes down of the datagrams to a port while something is done. */
export async function recorded(
  { nat, server }: Topology,
  port: number,
  { count, during }: { readonly count: number; readonly during: () => Promise<unknown> },
): Promise<readonly Uint8Array[]> {
  const recording = await Recording.start(nat, interfaceTo(server), addresses.server);
  try {
    await during();
    const packets = await recording.take([port], count);
    return packets.map(({ payload }) => Buffer.from(payload, 'base64'));
  } finally {
    await recording.stop();
  }
}
