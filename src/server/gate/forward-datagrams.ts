import type { Socket } from 'node:net';
import { DatagramTunnel } from '../../admission/gate/datagram-tunnel.ts';
import { concat } from '../../bytes/bytes.ts';
import type { Clock } from '../../host/clock.ts';
import { type FlowRoom, FlowSockets } from './flow-sockets.ts';
import type { Target } from './forward.ts';
import { proxyHeader } from './proxy-header.ts';

/** Joins the datagrams of a client to a UDP service, until the client has no more or is cut off. */
export function forwardDatagrams(
  client: Socket,
  { endpoint, announced }: Target,
  host: { readonly room: FlowRoom; readonly clock: Clock },
): void {
  const header = announced === null ? null : proxyHeader(announced);
  const flows = new FlowSockets({
    ...host,
    service: endpoint,
    answer: (datagram) => {
      tunnel.send(datagram);
    },
  });
  const tunnel = new DatagramTunnel(client, {
    receive: ({ flow, bytes }) => {
      flows.send({ flow, bytes: header === null ? bytes : concat(header, bytes) });
    },
    over: () => {
      flows.close();
    },
  });
}
