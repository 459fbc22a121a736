import { connect } from 'node:net';
import type { FramedStream } from '../../admission/gate/framed-stream.ts';
import { joinConnections } from '../../admission/join-connections.ts';
import type { Endpoint } from '../../units/network.ts';
import { type Announced, proxyHeader } from './proxy-header.ts';

/** Where a connection that came through the gate goes. */
export interface Target {
  readonly endpoint: Endpoint;
  /** Where the connection came from and went to, if the service is to be told. */
  readonly announced: Announced | null;
}

/** After this much silence the system asks whether the other side still is there. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Joins a client to a service.
 * @param onFault called when the service cannot be reached
 */
export function forward(
  client: FramedStream,
  { endpoint, announced }: Target,
  onFault: (error: Error) => void,
): void {
  const { address: host, port } = endpoint;
  const service = connect({ host, port, allowHalfOpen: true, noDelay: true });
  service.setKeepAlive(true, KEEP_ALIVE_MS);
  service.on('error', (error) => {
    if (service.bytesRead + service.bytesWritten === 0) onFault(error);
  });
  if (announced !== null) service.write(proxyHeader(announced));
  joinConnections(client, service);
}
